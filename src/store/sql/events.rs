//! Events coming in, and going when they are old.

use std::collections::{BTreeSet, HashMap};

use super::retention::{Old, find_old};
use crate::{
    domain::{AccountId, Timestamp},
    store::{
        Accepted, Leasing, Retention, Store, StoreError, Submission, Swept,
        acceptance::{KNOWN, Known, KnownRow, NewRows, Subscriber, accept},
        database::{Bind as _, Connection, Kind, Rows, query},
    },
};

/// How often an acceptance starts over because one of its events was there already, or another process was storing it at
/// the same moment.
const ATTEMPTS: usize = 6;

/// The advisory lock of the process that deletes what is old.
const HOUSEKEEPING: i64 = 0x6361_6c65_6964_6101;

/// Events coming in.
impl Store {
    /// Stores the events together with a delivery for every webhook that wants them, in one transaction for all.
    ///
    /// Each submission stands or falls as a whole, on its own.
    pub async fn accept_events(
        &self,
        submissions: &[Submission],
        now: Timestamp,
        leasing: Leasing<'_>,
    ) -> Result<Accepted, StoreError> {
        self.points.reached("accept_events").await;
        let number = submissions.iter().map(|submission| submission.events.len()).sum();
        let keys = self.event_keys.take(number, &self.database).await?;
        for attempt in 0..ATTEMPTS {
            let mut tx = self.begin().await?;
            // Almost all events are new, and the insert finds those that are not: to look first costs as much again.
            let mut known = match attempt {
                0 => Known::default(),
                _ => find_known(&mut tx, submissions).await?,
            };
            let subscribers = find_subscribers(&mut tx, submissions).await?;
            let mut rows = NewRows::new(now, &keys, leasing);
            let answers = submissions
                .iter()
                .map(|submission| {
                    let subscribers = &subscribers[&submission.account_id];
                    accept(submission, subscribers, &mut known, &mut rows)
                })
                .collect();
            if insert_events(&mut tx, &rows).await? < rows.events.len() as u64 {
                continue;
            }
            self.points.reached("accept_events: events inserted").await;
            insert_deliveries(&mut tx, &rows).await?;
            tx.commit().await?;
            self.points.reached("accept_events: committed").await;
            let (claimed, behind) = rows.into_deliveries();
            return Ok(Accepted {
                answers,
                claimed,
                behind,
            });
        }
        Err(StoreError::unavailable(
            "the same events are being stored again and again",
        ))
    }

    /// Deletes events with their deliveries and attempts, oldest first, except those of which something is still to be
    /// sent.
    pub async fn delete_old_events(&self, retention: Retention<'_>) -> Result<Swept, StoreError> {
        // What a power cut brings back is deleted again.
        let mut tx = self.begin_unsynced().await?;
        if self.is_shared() {
            // One process at a time cleans up: several would only wait for each other.
            let is_mine: bool = query("select pg_try_advisory_xact_lock($1)")
                .bind(HOUSEKEEPING)
                .fetch_one(&mut tx)
                .await?;
            if !is_mine {
                return Ok(Swept {
                    deleted: 0,
                    until: None,
                });
            }
        }
        let Old { done, until } = find_old(&mut tx, retention).await?;
        for delete in [
            "with old (key) as ({rows})
             delete from attempts where delivery_id in (
                 select id from deliveries where event_key in (select key from old))",
            "with old (key) as ({rows}) delete from deliveries where event_key in (select key from old)",
            "with old (key) as ({rows}) delete from events where key in (select key from old)",
        ] {
            let old = done.iter().map(|key| [key.into_value()]);
            Rows::new([Kind::Integer], old).execute(delete, &mut tx).await?;
        }
        tx.commit().await?;
        Ok(Swept {
            deleted: done.len() as u64,
            until,
        })
    }
}

async fn find_known(connection: &mut Connection, submissions: &[Submission]) -> Result<Known, StoreError> {
    let events = || {
        submissions
            .iter()
            .flat_map(|s| s.events.iter().map(|event| (&s.account_id, event)))
    };
    let ids = events().map(|(account, event)| [account.into_value(), (&event.id).into_value()]);
    let keys = events().filter_map(|(account, event)| {
        let key = event.idempotency_key.as_deref()?;
        Some([account.into_value(), key.into_value()])
    });
    let kinds = [Kind::Bytes, Kind::Text];
    let (ids, keys) = (Rows::new(kinds, ids), Rows::new(kinds, keys));
    let mut rows: Vec<KnownRow> = ids
        .fetch_all(
            &format!(
                "with wanted (account_id, id) as ({{rows}})
                 select {KNOWN} from events where (account_id, id) in (select account_id, id from wanted)"
            ),
            connection,
        )
        .await?;
    rows.extend(
        keys.fetch_all::<KnownRow>(
            &format!(
                "with wanted (account_id, key) as ({{rows}})
                     select {KNOWN} from events
                     where (account_id, idempotency_key) in (select account_id, key from wanted)"
            ),
            connection,
        )
        .await?,
    );
    let mut known = Known::default();
    for row in rows {
        known.add_row(row);
    }
    Ok(known)
}

async fn find_subscribers<'a>(
    connection: &mut Connection,
    submissions: &'a [Submission],
) -> Result<HashMap<&'a AccountId, Vec<Subscriber>>, StoreError> {
    let accounts: BTreeSet<_> = submissions
        .iter()
        .map(|submission| &submission.account_id)
        .collect();
    let mut subscribers = HashMap::with_capacity(accounts.len());
    for account in accounts {
        // Shared with other publishers and with the record of attempts, but not with a change that stops or deletes it.
        let found = query(
            "select id, events, state from webhooks where account_id = $1 and deleted_at is null order by id",
        )
        .locking("for key share", connection)
        .bind(account)
        .fetch_all(connection)
        .await?;
        subscribers.insert(account, found);
    }
    Ok(subscribers)
}

/// Returns how many were inserted: fewer, if one of them is there.
async fn insert_events(connection: &mut Connection, new: &NewRows<'_>) -> Result<u64, StoreError> {
    use Kind::{Bytes, Integer, Text};
    let rows = new.events.iter().map(|row| {
        [
            row.key.into_value(),
            row.account.into_value(),
            (&row.event.id).into_value(),
            row.event.event_type.into_value(),
            row.event.occurred_at.into_value(),
            new.now.into_value(),
            row.event.payload.as_ref().into_value(),
            row.event.fingerprint.into_value(),
            row.event.idempotency_key.as_deref().into_value(),
            row.delivery_count.into_value(),
        ]
    });
    let kinds = [
        Integer, Bytes, Text, Text, Integer, Integer, Bytes, Bytes, Text, Integer,
    ];
    let insert =
        "insert {or_fail} into events (key, account_id, id, event_type, occurred_at, received_at, payload, fingerprint,
             idempotency_key, delivery_count)
         {rows} on conflict do nothing";
    Rows::new(kinds, rows).execute(insert, connection).await
}

async fn insert_deliveries(connection: &mut Connection, new: &NewRows<'_>) -> Result<u64, StoreError> {
    use Kind::{Bytes, Integer, Text};
    let rows = new.deliveries.iter().map(|row| {
        [
            (&row.id).into_value(),
            row.account.into_value(),
            (&row.webhook_id).into_value(),
            row.event_key.into_value(),
            row.event.event_type.into_value(),
            row.status.into_value(),
            0_i64.into_value(),
            row.due(new).into_value(),
            row.lease(new).into_value(),
            new.now.into_value(),
        ]
    });
    let kinds = [
        Bytes, Bytes, Bytes, Integer, Text, Text, Integer, Integer, Bytes, Integer,
    ];
    let insert =
        "insert {or_fail} into deliveries (id, account_id, webhook_id, event_key, event_type, status, attempts,
             next_attempt_at, lease, updated_at)
         {rows}";
    Rows::new(kinds, rows).execute(insert, connection).await
}
