//! How much is still to be sent, counted no further than people read.

use sqlx::QueryBuilder;

use super::{Connection, Database};
use crate::{
    domain::{AccountId, WebhookId},
    store::{
        OpenDeliveries, StoreError,
        rows::{count, stored_id},
    },
};

const LIMIT: i64 = OpenDeliveries::COUNTED.cast_signed() + 1;

pub(super) async fn count_of(
    connection: &mut Connection,
    account: &AccountId,
    id: &WebhookId,
) -> Result<OpenDeliveries, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        // Asked this way, the index of open deliveries answers it alone.
        "select status, count(*) from (
             select status from deliveries
             where webhook_id = (select id from webhooks where id = $1 and account_id = $2)
                 and status in ('pending', 'held')
             limit $3) still_open
         group by status",
    )
    .bind(id.as_str())
    .bind(account.as_str())
    .bind(LIMIT)
    .fetch_all(connection)
    .await?;
    let of = |status: &str| {
        let row = rows.iter().find(|(of, _)| of == status);
        row.map_or(0, |(_, number)| count(*number))
    };
    Ok(OpenDeliveries {
        pending: of("pending"),
        held: of("held"),
    })
}

/// Of each that holds any. A page of the list has few that do.
pub(super) async fn held(
    connection: &mut Connection,
    ids: &[WebhookId],
) -> Result<Vec<(WebhookId, u64)>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::<Database>::new("select id, held from (");
    for (index, id) in ids.iter().enumerate() {
        if index > 0 {
            query.push(" union all ");
        }
        query.push("select ").push_bind(id.as_str()).push(
            " as id, (select count(*) from (
                 select 1 as one from deliveries where webhook_id = ",
        );
        query.push_bind(id.as_str()).push(" and status = 'held' limit ");
        query.push_bind(LIMIT).push(") holding) as held");
    }
    query.push(") counted where held > 0");
    let rows: Vec<(String, i64)> = query.build_query_as().fetch_all(connection).await?;
    rows.into_iter()
        .map(|(id, held)| Ok((stored_id(&id)?, count(held))))
        .collect()
}
