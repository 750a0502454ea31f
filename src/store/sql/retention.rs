use super::Connection;
use crate::{
    domain::{Place, Timestamp},
    store::{Retention, StoreError, rows::stored_id},
};

/// A batch of events that are old enough.
pub(super) struct Old {
    /// The ids of those of which nothing is still to be sent.
    pub(super) done: Vec<String>,
    /// Where the next batch goes on.
    pub(super) until: Option<Place>,
}

pub(super) async fn find_old(
    connection: &mut Connection,
    retention: Retention<'_>,
) -> Result<Old, StoreError> {
    let (after_time, after_id) = retention.after.map_or((i64::MIN, String::new()), |place| {
        (place.received_at.as_millis(), place.id.into())
    });
    let rows: Vec<(String, i64, bool)> = sqlx::query_as(
        "select id, received_at, exists (
             select 1 from deliveries d where d.account_id = e.account_id and d.event_id = e.id
                 and d.status in ('pending', 'held'))
         from events e
         where account_id = $1 and received_at < $2 and (received_at, id) > ($3, $4)
         order by received_at, id limit $5",
    )
    .bind(retention.account.as_str())
    .bind(retention.before.as_millis())
    .bind(after_time)
    .bind(after_id)
    .bind(i64::try_from(retention.limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let until = match rows.last() {
        Some((id, received_at, _)) if rows.len() == retention.limit => Some(Place {
            received_at: Timestamp::from_millis(*received_at),
            id: stored_id(id)?,
        }),
        _ => None,
    };
    let done = rows.into_iter().filter(|(.., open)| !open).map(|(id, ..)| id);
    Ok(Old {
        done: done.collect(),
        until,
    })
}
