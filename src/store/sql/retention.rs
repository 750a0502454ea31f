//! Finding expired events, and their audit log entry.

use serde_json::json;

use super::audit;
use crate::{
    domain::{Actor, AuditAction, EventCursor, Timestamp},
    store::{
        AuditEvent, Retention, StoreError,
        database::{Bind as _, Connection, Kind, Rows, query},
    },
};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// A batch of expired events.
pub(super) struct ExpiredEvents {
    /// Keys of the events that have no open delivery and are completely fanned out.
    pub(super) keys: Vec<i64>,
    /// End of the batch, or `None` if no expired events follow.
    pub(super) next: Option<EventCursor>,
}

/// Finds expired events, and cancels their held deliveries: otherwise, a webhook that is paused and forgotten would keep
/// all events forever.
pub(super) async fn find_expired(
    connection: &mut Connection,
    retention: &Retention<'_>,
) -> Result<ExpiredEvents, StoreError> {
    let after = retention.after.unwrap_or(EventCursor {
        received_at: Timestamp::from_millis(i64::MIN),
        key: i64::MIN,
    });
    let rows: Vec<(i64, Timestamp)> = query(
        "select key, received_at from events
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
    let next = next.map(|&(key, received_at)| EventCursor { received_at, key });
    let held = rows
        .iter()
        .map(|(key, _)| [key.into_value(), retention.at.into_value()]);
    // A webhook that is resumed at the same time waits for this, or has made them pending.
    Rows::new([Kind::Integer, Kind::Integer], held)
        .execute(
            "with expired (key, at) as ({rows})
             update deliveries set status = 'cancelled', updated_at = expired.at
             from expired where event_key = expired.key and status = 'held'",
            connection,
        )
        .await?;
    let keys = rows.iter().map(|(key, _)| [key.into_value()]);
    let keys = Rows::new([Kind::Integer], keys)
        .fetch_all(
            "with expired (key) as ({rows})
             select e.key from expired join events e on e.key = expired.key
             where not exists (
                     select 1 from deliveries d where d.event_key = e.key and d.status in ('new', 'pending', 'held'))
                 and not exists (
                     select 1 from fan_outs f where f.account_id = e.account_id and f.event_key = e.key)",
            connection,
        )
        .await?;
    Ok(ExpiredEvents { keys, next })
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
