//! Counts of open deliveries. They are capped, so that counting a long queue stays cheap.

use crate::{
    domain::{AccountId, DeliveryStatus, WebhookId},
    store::{
        OpenDeliveries, StoreError,
        database::{Connection, query},
    },
};

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

/// Returns the number of held deliveries of each webhook that has any.
pub(super) async fn count_held(
    connection: &mut Connection,
    account: &AccountId,
    ids: &[WebhookId],
) -> Result<Vec<(WebhookId, u64)>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut counts = query("select id, held from (");
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
        counts.push_bind(MAX_ROWS).push(") holding) as held");
    }
    counts.push(") counted where held > 0");
    counts.fetch_all(connection).await
}
