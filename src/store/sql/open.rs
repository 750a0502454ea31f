//! How much is still to be sent, counted no further than people read.

use crate::{
    domain::{AccountId, DeliveryStatus, WebhookId},
    store::{
        OpenDeliveries, StoreError,
        database::{Connection, query},
    },
};

const LIMIT: i64 = OpenDeliveries::COUNTED.cast_signed() + 1;

pub(super) async fn count_of(
    connection: &mut Connection,
    account: &AccountId,
    id: &WebhookId,
) -> Result<OpenDeliveries, StoreError> {
    let rows: Vec<(DeliveryStatus, u64)> = query(
        // Asked this way, the index of open deliveries answers it alone.
        "select status, count(*) from (
             select status from deliveries
             where webhook_id = (select id from webhooks where id = $1 and account_id = $2)
                 and status in ('new', 'pending', 'held')
             limit $3) still_open
         group by status",
    )
    .bind(id)
    .bind(account)
    .bind(LIMIT)
    .fetch_all(connection)
    .await?;
    let of = |wanted| {
        let rows = rows.iter().filter(|(status, _)| *status == wanted);
        rows.map(|(_, number)| number).sum()
    };
    Ok(OpenDeliveries {
        pending: of(DeliveryStatus::Pending),
        held: of(DeliveryStatus::Held),
    })
}

/// Of each that holds any. A page of the list has few that do.
pub(super) async fn held(
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
        counts.push_bind(LIMIT).push(") holding) as held");
    }
    counts.push(") counted where held > 0");
    counts.fetch_all(connection).await
}
