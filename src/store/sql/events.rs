//! Accepting events, and deleting expired ones.

use std::collections::{BTreeSet, HashMap};

use super::{
    new_deliveries::insert_deliveries,
    retention::{ExpiredEvents, find_expired, record_expiry},
};
use crate::{
    domain::{AccountId, Timestamp},
    store::{
        Acceptance, Accepted, DeletedBatch, Evaluation, Leasing, Retention, Store, StoreError, Submission,
        acceptance::{
            EXISTING_COLUMNS, ExistingEvents, ExistingRow, NewRows, Subscriber, accept_submission,
            accounts_with_other_filters,
        },
        database::{Bind as _, Connection, Kind, Rows, query},
    },
};

/// Maximum number of tries to accept events. A try fails if one of the events already exists or is stored by another
/// process at the same time.
const MAX_TRIES: usize = 6;

/// Advisory lock of the process that deletes expired events.
const HOUSEKEEPING_LOCK: i64 = 0x6361_6c65_6964_6101;

impl Store {
    /// Stores events with a delivery for each subscribed webhook, in one transaction for all submissions. If there are
    /// too many deliveries for one transaction, [`Self::advance_fan_outs`] stores the rest.
    ///
    /// Each submission is accepted or rejected as a whole, independently of the others. `evaluation` has the results of
    /// the filters of all webhooks of these accounts.
    pub async fn accept_events(
        &self,
        submissions: &[Submission],
        evaluation: &Evaluation,
        now: Timestamp,
        leasing: Leasing<'_>,
    ) -> Result<Acceptance, StoreError> {
        self.points.reached("accept_events").await;
        let count = submissions.iter().map(|submission| submission.events.len()).sum();
        let keys = self.event_keys.take(count, &self.database).await?;
        for try_index in 0..MAX_TRIES {
            let mut tx = self.begin().await?;
            // The first try assumes that all events are new, because almost all are: a lookup costs as much as the
            // insert, which detects existing events anyway.
            let mut existing = match try_index {
                0 => ExistingEvents::default(),
                _ => find_existing(&mut tx, submissions).await?,
            };
            let subscribers = find_subscribers(&mut tx, submissions).await?;
            let other_filters = accounts_with_other_filters(&subscribers, evaluation);
            if !other_filters.is_empty() {
                return Ok(Acceptance::OtherFilters(other_filters));
            }
            let mut rows = NewRows::new(now, &keys, evaluation, leasing);
            let results = submissions
                .iter()
                .map(|submission| {
                    let subscribers = &subscribers[&submission.account_id];
                    accept_submission(submission, subscribers, &mut existing, &mut rows)
                })
                .collect();
            if insert_events(&mut tx, &rows).await? < rows.events.len() as u64 {
                continue;
            }
            self.points.reached("accept_events: events inserted").await;
            rows.fan_out(&subscribers);
            insert_deliveries(&mut tx, rows.new_deliveries()).await?;
            insert_fan_outs(&mut tx, &rows).await?;
            tx.commit().await?;
            self.points.reached("accept_events: committed").await;
            let has_fan_outs = !rows.fan_outs.is_empty();
            let (claimed, backlogged) = rows.into_deliveries();
            return Ok(Acceptance::Stored(Accepted {
                results,
                claimed,
                backlogged,
                has_fan_outs,
            }));
        }
        Err(StoreError::unavailable(
            "other processes keep storing the same events",
        ))
    }

    /// Deletes a batch of expired events with their deliveries and attempts. Cancels held deliveries, and keeps events
    /// with pending ones.
    pub async fn delete_old_events(&self, retention: Retention<'_>) -> Result<DeletedBatch, StoreError> {
        // If a power failure undoes the deletion, the next run repeats it.
        let mut tx = self.begin_unsynced().await?;
        if self.is_shared() {
            // One process at a time, because several would only wait for each other.
            let is_locked: bool = query("select pg_try_advisory_xact_lock($1)")
                .bind(HOUSEKEEPING_LOCK)
                .fetch_one(&mut tx)
                .await?;
            if !is_locked {
                return Ok(DeletedBatch {
                    deleted: 0,
                    next: None,
                });
            }
        }
        let ExpiredEvents { keys, next } = find_expired(&mut tx, &retention).await?;
        if !keys.is_empty() {
            record_expiry(&mut tx, &retention).await?;
        }
        for delete in [
            "with expired (key) as ({rows})
             delete from attempts where delivery_id in (
                 select id from deliveries where event_key in (select key from expired))",
            "with expired (key) as ({rows}) delete from deliveries where event_key in (select key from expired)",
            "with expired (key) as ({rows}) delete from events where key in (select key from expired)",
        ] {
            let rows = keys.iter().map(|key| [key.into_value()]);
            Rows::new([Kind::Integer], rows).execute(delete, &mut tx).await?;
        }
        tx.commit().await?;
        Ok(DeletedBatch {
            deleted: keys.len() as u64,
            next,
        })
    }
}

async fn find_existing(
    connection: &mut Connection,
    submissions: &[Submission],
) -> Result<ExistingEvents, StoreError> {
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
    let mut rows: Vec<ExistingRow> = ids
        .fetch_all(
            &format!(
                "with wanted (account_id, id) as ({{rows}})
                 select {EXISTING_COLUMNS} from events where (account_id, id) in (select account_id, id from wanted)"
            ),
            connection,
        )
        .await?;
    rows.extend(
        keys.fetch_all::<ExistingRow>(
            &format!(
                "with wanted (account_id, key) as ({{rows}})
                     select {EXISTING_COLUMNS} from events
                     where (account_id, idempotency_key) in (select account_id, key from wanted)"
            ),
            connection,
        )
        .await?,
    );
    let mut existing = ExistingEvents::default();
    for row in rows {
        existing.add_row(row);
    }
    Ok(existing)
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
        // Other publishers and the recording of attempts can hold the same lock. Pausing, resuming and deleting wait
        // for it.
        let found = query(
            "select id, events, state, case when filter is not null then version end as filter_version,
                 rate_limit is not null as is_limited
             from webhooks where account_id = $1 and deleted_at is null order by id",
        )
        .locking("for key share", connection)
        .bind(account)
        .fetch_all(connection)
        .await?;
        subscribers.insert(account, found);
    }
    Ok(subscribers)
}

/// Returns the number of inserted events. It is lower than the number of rows if one of the events already exists.
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

async fn insert_fan_outs(connection: &mut Connection, new: &NewRows<'_>) -> Result<u64, StoreError> {
    let rows = new
        .fan_outs
        .iter()
        .map(|(account, key)| [account.into_value(), key.into_value()]);
    Rows::new([Kind::Bytes, Kind::Integer], rows)
        .execute(
            "insert {or_fail} into fan_outs (account_id, event_key) {rows}",
            connection,
        )
        .await
}
