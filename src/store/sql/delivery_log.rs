use async_trait::async_trait;
use serde_json::json;
use sqlx::{AssertSqlSafe, QueryBuilder};
use strum::VariantArray;

use super::{Adapter, Connection, Database, audit, lock_webhook};
use crate::{
    domain::{AccountId, Actor, Attempt, Delivery, DeliveryId, DeliveryStatus, Timestamp},
    store::{
        Change, Deed, DeliveryDetail, DeliveryFilter, DeliveryLogStore, DeliveryPage, DestinationState,
        Resent, StoreError,
        pagination::LOOKED_THROUGH,
        rows::{ATTEMPT, AttemptRow, DELIVERY, DeliveryRow, destination_state, stored_id},
    },
};

#[async_trait]
impl DeliveryLogStore for Adapter {
    async fn list_deliveries(
        &self,
        account: &AccountId,
        filter: &DeliveryFilter,
    ) -> Result<DeliveryPage, StoreError> {
        let mut reader = self.readers.acquire().await?;
        let floor = if filter.event_type.is_some() && filter.event_id.is_none() {
            let of_any_type = DeliveryFilter {
                event_type: None,
                ..filter.clone()
            };
            let mut query = QueryBuilder::<Database>::new("select id from (");
            push_stretches(&mut query, "id", account, &of_any_type, None, LOOKED_THROUGH);
            query
                .push(") looked_through order by id desc limit 1 offset ")
                .push_bind(LOOKED_THROUGH - 1);
            let floor: Option<String> = query.build_query_scalar().fetch_optional(&mut *reader).await?;
            floor.as_deref().map(stored_id::<DeliveryId>).transpose()?
        } else {
            None
        };
        // One more than wanted tells whether there are more.
        let limit = i64::from(filter.limit) + 1;
        let mut query = QueryBuilder::<Database>::new(format!("select {DELIVERY} from ("));
        push_stretches(&mut query, "*", account, filter, floor.as_ref(), limit);
        query
            .push(") d join webhooks w on w.id = d.webhook_id order by d.id desc limit ")
            .push_bind(limit);
        let rows: Vec<DeliveryRow> = query.build_query_as().fetch_all(&mut *reader).await?;
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        let deliveries = rows
            .into_iter()
            .take(limit)
            .map(Delivery::try_from)
            .collect::<Result<Vec<_>, _>>()?;
        let last = || deliveries.last().map(|last| last.id.clone());
        let next = if more { last() } else { floor };
        Ok(DeliveryPage { deliveries, next })
    }

    async fn delivery(
        &self,
        account: &AccountId,
        id: &DeliveryId,
    ) -> Result<Option<DeliveryDetail>, StoreError> {
        // One transaction, so that the attempts are those that the delivery's state tells of.
        let mut tx = self.readers.begin().await?;
        let sql = format!(
            "select {DELIVERY} from deliveries d join webhooks w on w.id = d.webhook_id
             where d.account_id = $1 and d.id = $2"
        );
        let row: Option<DeliveryRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(account.as_str())
            .bind(id.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        let Some(delivery) = row.map(Delivery::try_from).transpose()? else {
            return Ok(None);
        };
        let payload: Vec<u8> =
            sqlx::query_scalar("select payload from events where account_id = $1 and id = $2")
                .bind(account.as_str())
                .bind(delivery.event_id.as_str())
                .fetch_one(&mut *tx)
                .await?;
        let sql =
            format!("select {ATTEMPT} from attempts where delivery_id = $1 order by number, started_at");
        let rows: Vec<AttemptRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(id.as_str())
            .fetch_all(&mut *tx)
            .await?;
        let attempts = rows
            .into_iter()
            .map(Attempt::try_from)
            .collect::<Result<_, _>>()?;
        Ok(Some(DeliveryDetail {
            delivery,
            payload: payload.into(),
            attempts,
        }))
    }

    async fn resend_delivery(
        &self,
        actor: &Actor,
        id: &DeliveryId,
        at: Timestamp,
    ) -> Result<Option<Resent>, StoreError> {
        let mut tx = self.begin().await?;
        let found: Option<(String, String)> =
            sqlx::query_as("select webhook_id, event_id from deliveries where account_id = $1 and id = $2")
                .bind(actor.account_id.as_str())
                .bind(id.as_str())
                .fetch_optional(&mut *tx)
                .await?;
        let Some((webhook, event)) = found else {
            return Ok(None);
        };
        let change = Change::new(actor, stored_id(&webhook)?, at);
        lock_webhook(&mut tx, &change).await?;
        let (status, resent) = match state_of(&mut tx, &webhook).await? {
            None => return Ok(Some(Resent::Deleted)),
            Some(DestinationState::Disabled) => return Ok(Some(Resent::Disabled)),
            Some(DestinationState::Paused) => ("held", Resent::Held),
            Some(DestinationState::Active) => ("pending", Resent::Due),
        };
        let moved = sqlx::query(
            "update deliveries set status = $2, next_attempt_at = $3, earlier_attempts = attempts, updated_at = $3
             where id = $1 and lease is null",
        )
        .bind(id.as_str())
        .bind(status)
        .bind(at.as_millis())
        .execute(&mut *tx)
        .await?;
        if moved.rows_affected() == 0 {
            return Ok(Some(Resent::UnderWay));
        }
        let details = json!({ "webhook": webhook, "event": event, "status": status });
        let deed = Deed::new(actor, "delivery.resent", id.as_str(), at).with(details);
        audit::write(&mut tx, &deed).await?;
        tx.commit().await?;
        Ok(Some(resent))
    }
}

async fn state_of(
    connection: &mut Connection,
    webhook: &str,
) -> Result<Option<DestinationState>, StoreError> {
    let state: Option<String> =
        sqlx::query_scalar("select state from webhooks where id = $1 and deleted_at is null")
            .bind(webhook)
            .fetch_optional(connection)
            .await?;
    state.as_deref().map(destination_state).transpose()
}

/// The newest `limit` of each status that is wanted, down to `floor`, as tables to be merged: each is a stretch of an
/// index by age.
fn push_stretches(
    query: &mut QueryBuilder<Database>,
    columns: &str,
    account: &AccountId,
    filter: &DeliveryFilter,
    floor: Option<&DeliveryId>,
    limit: i64,
) {
    let statuses = match (filter.status, &filter.event_id) {
        (Some(status), _) => vec![Some(status)],
        // An event has few deliveries, whatever became of them.
        (None, Some(_)) => vec![None],
        (None, None) => DeliveryStatus::VARIANTS.iter().copied().map(Some).collect(),
    };
    for (index, status) in statuses.into_iter().enumerate() {
        if index > 0 {
            query.push(" union all ");
        }
        query
            .push(format!("select * from (select {columns} from deliveries where "))
            .push("account_id = ")
            .push_bind(account.as_str().to_owned());
        if let Some(webhook) = &filter.webhook_id {
            query
                .push(" and webhook_id = ")
                .push_bind(webhook.as_str().to_owned());
        }
        if let Some(status) = status {
            query.push(" and status = ").push_bind(status.as_str());
        }
        if let Some(event) = &filter.event_id {
            query
                .push(" and event_id = ")
                .push_bind(event.as_str().to_owned());
        }
        if let Some(event_type) = filter.event_type {
            query.push(" and event_type = ").push_bind(event_type.as_str());
        }
        let since = filter.since.map(DeliveryId::first_of);
        let until = filter.until.map(DeliveryId::first_of);
        if let Some(from) = since.iter().chain(floor).max() {
            query.push(" and id >= ").push_bind(from.as_str().to_owned());
        }
        if let Some(to) = until.iter().chain(&filter.before).min() {
            query.push(" and id < ").push_bind(to.as_str().to_owned());
        }
        query
            .push(" order by id desc limit ")
            .push_bind(limit)
            .push(format!(") stretch_{index}"));
    }
}
