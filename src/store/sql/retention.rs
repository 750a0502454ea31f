//! Events that are old enough to go.

use crate::{
    domain::{Place, Timestamp},
    store::{
        Retention, StoreError,
        database::{Connection, query},
    },
};

/// A batch of events that are old enough.
pub(super) struct Old {
    /// The keys of those of which nothing is still to be sent.
    pub(super) done: Vec<i64>,
    /// Where the next batch goes on.
    pub(super) until: Option<Place>,
}

pub(super) async fn find_old(
    connection: &mut Connection,
    retention: Retention<'_>,
) -> Result<Old, StoreError> {
    let after = retention.after.unwrap_or(Place {
        received_at: Timestamp::from_millis(i64::MIN),
        key: i64::MIN,
    });
    let rows: Vec<(i64, Timestamp, bool)> = query(
        "select key, received_at, exists (
             select 1 from deliveries d where d.event_key = e.key and d.status in ('new', 'pending', 'held'))
         from events e
         where account_id = $1 and received_at < $2 and (received_at, key) > ($3, $4)
         order by received_at, key limit $5",
    )
    .bind(retention.account)
    .bind(retention.before)
    .bind(after.received_at)
    .bind(after.key)
    .bind(retention.limit)
    .fetch_all(connection)
    .await?;
    let until = rows.last().filter(|_| rows.len() == retention.limit);
    let until = until.map(|&(key, received_at, _)| Place { received_at, key });
    let done = rows.into_iter().filter(|(.., open)| !open).map(|(key, ..)| key);
    Ok(Old {
        done: done.collect(),
        until,
    })
}
