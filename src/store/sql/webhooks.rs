use std::collections::HashMap;

use super::{open_deliveries, webhook_filter::push_filter, webhook_search};
use crate::{
    domain::{AccountId, Latencies, Timestamp, UrlVisibility, Webhook, WebhookId},
    store::{
        AccountStore, Destination, FilteredWebhook, HeldDeliveries, HourlyActivity, OpenDeliveries,
        SealedSecrets, Store, StoreError, WebhookFilter, WebhookPage,
        database::{Connection, FromRow, Row, query},
        rows::{SECRETS_COLUMNS, SecretsRow, WEBHOOK_COLUMNS, WebhookRow},
    },
};

/// Columns with the state, event types and filter of a webhook `w` at the time `$2`, which are those of its last history entry
/// until then. Null before it was added.
pub(super) const HISTORY_AT: &str = "
    (select h.state from webhook_history h where h.webhook_id = w.id and h.since <= $2 order by h.since desc limit 1)
        as state_then,
    (select h.events from webhook_history h where h.webhook_id = w.id and h.since <= $2 order by h.since desc limit 1)
        as events_then,
    (select h.filter from webhook_history h where h.webhook_id = w.id and h.since <= $2 order by h.since desc limit 1)
        as filter_then";

impl Store {
    /// Returns `None` if the webhook was deleted.
    pub async fn destination(&self, id: &WebhookId) -> Result<Option<Destination>, StoreError> {
        self.points.reached("destination").await;
        let sql = format!("select {SECRETS_COLUMNS} from webhooks where id = $1 and deleted_at is null");
        let row: Option<SecretsRow> = query(sql)
            .bind(id)
            .fetch_optional(&mut self.read().await?)
            .await?;
        self.points.reached("destination: read").await;
        row.map(Destination::try_from).transpose()
    }

    /// Deletes the hourly statistics from before this time.
    pub async fn delete_old_statistics(&self, before: Timestamp) -> Result<(), StoreError> {
        for table in ["webhook_hours", "webhook_latencies"] {
            query(format!("delete from {table} where hour < $1"))
                .bind(before)
                .execute_in(&self.database)
                .await?;
        }
        Ok(())
    }

    /// Returns the ids of the master keys that encrypt secrets.
    pub async fn master_key_ids(&self) -> Result<Vec<String>, StoreError> {
        query(
            "select secret_key_id from webhooks where secret_key_id is not null
             union select previous_secret_key_id from webhooks where previous_secret_key_id is not null
             union select headers_key_id from webhooks where headers_key_id is not null",
        )
        .fetch_all(&mut self.read().await?)
        .await
    }
}

impl AccountStore<'_> {
    pub async fn webhook(&self, id: &WebhookId) -> Result<Option<Webhook>, StoreError> {
        let mut reader = self.store.read().await?;
        find(&mut reader, self.account, id).await
    }

    /// Returns the webhooks with a filter.
    pub async fn filters(&self) -> Result<Vec<FilteredWebhook>, StoreError> {
        query(
            "select id, version, events, filter from webhooks
             where account_id = $1 and deleted_at is null and filter is not null",
        )
        .bind(self.account)
        .fetch_all(&mut self.store.read().await?)
        .await
    }

    /// Returns a page of webhooks, newest first.
    pub async fn list_webhooks(&self, filter: &WebhookFilter) -> Result<WebhookPage, StoreError> {
        let mut reader = self.store.read().await?;
        let total: u64 = count(&mut reader, self.account).await?;

        let (matching, rows) = match &filter.search {
            Some(search) if filter.urls == UrlVisibility::Shortened => {
                let found = webhook_search::matching(&mut reader, self.account, filter, search).await?;
                let rows = webhook_search::page(&mut reader, self.account, filter, &found).await?;
                (found.len() as u64, rows)
            }
            search => page(&mut reader, self.account, filter, search.as_deref()).await?,
        };
        let webhooks = rows
            .into_iter()
            .map(Webhook::try_from)
            .collect::<Result<_, _>>()?;
        Ok(WebhookPage {
            webhooks,
            matching,
            total,
        })
    }

    pub async fn sealed_secrets(&self, id: &WebhookId) -> Result<Option<SealedSecrets>, StoreError> {
        let sql = format!(
            "select {SECRETS_COLUMNS} from webhooks where id = $1 and account_id = $2 and deleted_at is null"
        );
        let row: Option<SecretsRow> = query(sql)
            .bind(id)
            .bind(self.account)
            .fetch_optional(&mut self.store.read().await?)
            .await?;
        Ok(row
            .map(Destination::try_from)
            .transpose()?
            .map(|destination| destination.secrets))
    }

    /// Returns the hourly numbers of attempts of these webhooks since a time.
    pub async fn webhook_activity(
        &self,
        ids: &[WebhookId],
        since: Timestamp,
    ) -> Result<Vec<HourlyActivity>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut activity =
            query("select webhook_id, hour, succeeded, failed from webhook_hours where hour >= ");
        activity.push_bind(since);
        activity.push(" and webhook_id in (select id from webhooks where account_id = ");
        activity.push_bind(self.account).push(" and id in (");
        activity.push_list(ids).push(")) order by webhook_id, hour");
        activity.fetch_all(&mut self.store.read().await?).await
    }

    /// Returns the distribution of response times since a time.
    pub async fn webhook_latencies(&self, id: &WebhookId, since: Timestamp) -> Result<Latencies, StoreError> {
        let rows: Vec<(i64, u64)> = query(
            "select bucket, cast(sum(responses) as bigint) from webhook_latencies
             where webhook_id in (select id from webhooks where id = $1 and account_id = $2) and hour >= $3
             group by bucket",
        )
        .bind(id)
        .bind(self.account)
        .bind(since)
        .fetch_all(&mut self.store.read().await?)
        .await?;
        let mut latencies = Latencies::default();
        for (bucket, responses) in rows {
            latencies.add(bucket, responses);
        }
        Ok(latencies)
    }

    /// Returns the oldest thousand webhooks, sorted by name.
    pub async fn webhook_names(&self) -> Result<Vec<(WebhookId, String)>, StoreError> {
        query(
            "select id, name from (
                 select id, name from webhooks where account_id = $1 and deleted_at is null order by id limit 1000) named
             order by lower(name), id",
        )
        .bind(self.account)
        .fetch_all(&mut self.store.read().await?)
        .await
    }

    /// Returns the numbers of pending and held deliveries.
    pub async fn open_deliveries(&self, id: &WebhookId) -> Result<OpenDeliveries, StoreError> {
        open_deliveries::count(&mut self.store.read().await?, self.account, id).await
    }

    /// Returns the number of deliveries that are due but not in progress, at most [`OpenDeliveries::COUNT_LIMIT`]` + 1`.
    pub async fn waiting_deliveries(&self, id: &WebhookId, now: Timestamp) -> Result<u64, StoreError> {
        open_deliveries::count_waiting(&mut self.store.read().await?, self.account, id, now).await
    }

    /// Returns the held deliveries of each webhook that has any.
    pub async fn held_deliveries(
        &self,
        ids: &[WebhookId],
    ) -> Result<HashMap<WebhookId, HeldDeliveries>, StoreError> {
        open_deliveries::count_held(&mut self.store.read().await?, self.account, ids).await
    }
}

impl FromRow for HourlyActivity {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            webhook_id: row.get("webhook_id")?,
            hour: row.get("hour")?,
            succeeded: row.get("succeeded")?,
            failed: row.get("failed")?,
        })
    }
}

/// Returns the number of webhooks that match a filter, and a page of them.
async fn page(
    reader: &mut Connection,
    account: &AccountId,
    filter: &WebhookFilter,
    search: Option<&str>,
) -> Result<(u64, Vec<WebhookRow>), StoreError> {
    let mut counting = query("select count(*) from webhooks");
    push_filter(&mut counting, account, filter, search);
    let matching = counting.fetch_one(reader).await?;

    let mut listing = query(format!("select {WEBHOOK_COLUMNS} from webhooks"));
    push_filter(&mut listing, account, filter, search);
    if let Some(before) = &filter.before {
        listing.push(" and id < ").push_bind(before);
    }
    listing
        .push(" order by id desc limit ")
        .push_bind(i64::from(filter.limit))
        .push(" offset ")
        .push_bind(i64::from(filter.page) * i64::from(filter.limit));
    Ok((matching, listing.fetch_all(reader).await?))
}

pub(super) async fn count(connection: &mut Connection, account: &AccountId) -> Result<u64, StoreError> {
    query("select count(*) from webhooks where account_id = $1 and deleted_at is null")
        .bind(account)
        .fetch_one(connection)
        .await
}

pub(super) async fn find(
    connection: &mut Connection,
    account: &AccountId,
    id: &WebhookId,
) -> Result<Option<Webhook>, StoreError> {
    let sql = format!(
        "select {WEBHOOK_COLUMNS} from webhooks where id = $1 and account_id = $2 and deleted_at is null"
    );
    let row: Option<WebhookRow> = query(sql)
        .bind(id)
        .bind(account)
        .fetch_optional(connection)
        .await?;
    row.map(Webhook::try_from).transpose()
}
