//! The webhooks with open deliveries, and counts of them. Counts are capped, so that counting a long queue stays cheap.

use std::collections::HashMap;

use crate::{
    domain::{AccountId, DeliveryStatus, Timestamp, WebhookId},
    store::{
        HeldDeliveries, OpenDeliveries, StoreError,
        database::{Connection, query},
    },
};

/// Common table expression of the webhooks with open deliveries. It is a loose index scan: it skips from webhook to
/// webhook in the index of open deliveries, without reading the rows between them or maintaining another index.
pub(super) const OPEN_WEBHOOKS: &str = "with recursive open_webhooks (webhook_id) as (
         select (select webhook_id from deliveries where status in ('new', 'pending', 'held')
                 order by webhook_id limit 1)
         union all
         select (select d.webhook_id from deliveries d
                 where d.status in ('new', 'pending', 'held') and d.webhook_id > open_webhooks.webhook_id
                 order by d.webhook_id limit 1)
         from open_webhooks where open_webhooks.webhook_id is not null)";

const MAX_ROWS: i64 = OpenDeliveries::COUNT_LIMIT.cast_signed() + 1;

/// Returns the number of open deliveries of a webhook.
pub(super) async fn count(
    connection: &mut Connection,
    account: &AccountId,
    id: &WebhookId,
) -> Result<OpenDeliveries, StoreError> {
    let rows: Vec<(DeliveryStatus, u64)> = query(
        // A covering scan: the index of open deliveries has all columns of the subquery.
        "select status, count(*) from (
             select status from deliveries
             where webhook_id = (select id from webhooks where id = $1 and account_id = $2)
                 and status in ('new', 'pending', 'held')
             limit $3) still_open
         group by status",
    )
    .bind(id)
    .bind(account)
    .bind(MAX_ROWS)
    .fetch_all(connection)
    .await?;
    let total = |status| {
        let rows = rows.iter().filter(|(other, _)| *other == status);
        rows.map(|(_, count)| count).sum()
    };
    Ok(OpenDeliveries {
        pending: total(DeliveryStatus::Pending),
        held: total(DeliveryStatus::Held),
    })
}

/// Returns the number of due deliveries of a webhook that no process has leased.
pub(super) async fn count_waiting(
    connection: &mut Connection,
    account: &AccountId,
    id: &WebhookId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    query(
        "select count(*) from (
             select 1 as one from deliveries
             where webhook_id = (select id from webhooks where id = $1 and account_id = $2)
                 and status = 'pending' and status in ('new', 'pending', 'held') and next_attempt_at <= $3
             limit $4) waiting",
    )
    .bind(id)
    .bind(account)
    .bind(now)
    .bind(MAX_ROWS)
    .fetch_one(connection)
    .await
}

from_row! {
    struct HeldRow {
        id: WebhookId,
        held: u64,
        oldest: Timestamp,
    }
}

/// Returns the held deliveries of each webhook that has any.
pub(super) async fn count_held(
    connection: &mut Connection,
    account: &AccountId,
    ids: &[WebhookId],
) -> Result<HashMap<WebhookId, HeldDeliveries>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut counts = query("select id, held, oldest from (");
    for (index, id) in ids.iter().enumerate() {
        if index > 0 {
            counts.push(" union all ");
        }
        counts.push("select ").push_bind(id).push(
            " as id, (select count(*) from (
                 select 1 as one from deliveries
                 where webhook_id = (select id from webhooks where id = ",
        );
        counts.push_bind(id).push(" and account_id = ");
        counts
            .push_bind(account)
            .push(") and status = 'held' and status in ('new', 'pending', 'held') limit ");
        // The due time of a held delivery is the time when it was stored, or that of its next attempt.
        counts.push_bind(MAX_ROWS).push(
            ") holding) as held,
             (select e.received_at from deliveries d join events e on e.key = d.event_key
              where d.status = 'held' and d.status in ('new', 'pending', 'held') and d.webhook_id = ",
        );
        counts
            .push_bind(id)
            .push(" order by d.next_attempt_at limit 1) as oldest");
    }
    counts.push(") counted where held > 0 and oldest is not null");
    let rows: Vec<HeldRow> = counts.fetch_all(connection).await?;
    let held = rows.into_iter().map(|row| {
        let held = HeldDeliveries {
            count: row.held,
            oldest: row.oldest,
        };
        (row.id, held)
    });
    Ok(held.collect())
}
