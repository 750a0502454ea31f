//! Finding expired events, and their audit log entry.

use serde_json::json;

use super::audit;
use crate::{
    domain::{Actor, AuditAction, EventCursor, Timestamp},
    store::{
        AuditEvent, Retention, StoreError,
        database::{Connection, query},
    },
};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// A batch of expired events.
pub(super) struct ExpiredEvents {
    /// Keys of the events without open deliveries, and with all deliveries stored.
    pub(super) keys: Vec<i64>,
    /// End of the batch, or `None` if no expired events follow.
    pub(super) next: Option<EventCursor>,
}

pub(super) async fn find_expired(
    connection: &mut Connection,
    retention: &Retention<'_>,
) -> Result<ExpiredEvents, StoreError> {
    let after = retention.after.unwrap_or(EventCursor {
        received_at: Timestamp::from_millis(i64::MIN),
        key: i64::MIN,
    });
    let rows: Vec<(i64, Timestamp, bool)> = query(
        "select key, received_at, exists (
             select 1 from deliveries d where d.event_key = e.key and d.status in ('new', 'pending', 'held'))
             or exists (select 1 from fan_outs f where f.account_id = e.account_id and f.event_key = e.key)
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
    let next = rows.last().filter(|_| rows.len() == retention.limit);
    let next = next.map(|&(key, received_at, _)| EventCursor { received_at, key });
    let keys = rows
        .into_iter()
        .filter(|(.., is_open)| !is_open)
        .map(|(key, ..)| key);
    Ok(ExpiredEvents {
        keys: keys.collect(),
        next,
    })
}

/// Records that events have expired, at most once per UTC day and account: users read the audit log.
pub(super) async fn record_expiry(
    connection: &mut Connection,
    retention: &Retention<'_>,
) -> Result<(), StoreError> {
    let Retention {
        account, before, at, ..
    } = *retention;
    let start_of_day = at.as_millis().div_euclid(DAY_MILLIS) * DAY_MILLIS;
    let recorded: Option<Timestamp> =
        query("select at from audit_log where account_id = $1 and action = $2 and at >= $3 limit 1")
            .bind(account)
            .bind(<&str>::from(AuditAction::EventsExpired))
            .bind(Timestamp::from_millis(start_of_day))
            .fetch_optional(connection)
            .await?;
    if recorded.is_some() {
        return Ok(());
    }
    let system = Actor::system(account.clone());
    let audit_event = AuditEvent::new(&system, AuditAction::EventsExpired, "events", at)
        .with(json!({ "received_before": before.rfc3339() }));
    audit::write(connection, &audit_event).await
}
