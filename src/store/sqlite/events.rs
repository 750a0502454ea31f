use std::collections::HashMap;

use async_trait::async_trait;
use sqlx::{QueryBuilder, SqliteConnection};

use super::{
    ROWS_PER_STATEMENT, SqliteStore,
    retention::{Old, find_old},
};
use crate::{
    domain::{AccountId, Timestamp},
    store::{
        Accepted, EventStore, HandOff, Retention, StoreError, Submission, Swept,
        acceptance::{self, KNOWN, Known, KnownRow, NewRows, Subscriber, accept},
    },
};

#[async_trait]
impl EventStore for SqliteStore {
    async fn accept_events(
        &self,
        submissions: &[Submission],
        now: Timestamp,
        hand_off: HandOff<'_>,
    ) -> Result<Accepted, StoreError> {
        let mut tx = self.begin().await?;
        let mut known = find_known(&mut tx, submissions).await?;
        let mut subscribers: HashMap<&AccountId, Vec<Subscriber>> = HashMap::new();
        let mut rows = NewRows::new(now);
        let mut answers = Vec::with_capacity(submissions.len());
        for submission in submissions {
            let account = &submission.account_id;
            if !subscribers.contains_key(account) {
                subscribers.insert(account, find_subscribers(&mut tx, account).await?);
            }
            answers.push(accept(submission, &subscribers[account], &mut known, &mut rows));
        }
        rows.hand_off(hand_off);
        insert(&mut tx, &rows).await?;
        tx.commit().await?;
        Ok(Accepted {
            answers,
            claimed: rows.claimed(),
        })
    }

    async fn delete_old_events(&self, retention: Retention<'_>) -> Result<Swept, StoreError> {
        let account = retention.account;
        // What a power cut brings back is deleted again: it costs no wait for the disk.
        let turn = self.writer.acquire().await?;
        let mut tx = self.hasty.begin_with("BEGIN IMMEDIATE").await?;
        let Old { done, until } = find_old(&mut tx, retention).await?;
        let ids = serde_json::to_string(&done).expect("texts are JSON");
        for delete in [
            "delete from attempts where delivery_id in (
                 select id from deliveries
                 where account_id = $1 and event_id in (select value from json_each($2)))",
            "delete from deliveries where account_id = $1 and event_id in (select value from json_each($2))",
            "delete from events where account_id = $1 and id in (select value from json_each($2))",
        ] {
            sqlx::query(delete)
                .bind(account.as_str())
                .bind(&ids)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        drop(turn);
        Ok(Swept {
            deleted: done.len() as u64,
            until,
        })
    }
}

async fn insert(connection: &mut SqliteConnection, new_rows: &NewRows<'_>) -> Result<(), StoreError> {
    let now = new_rows.now.as_millis();
    for events in new_rows.events.chunks(ROWS_PER_STATEMENT) {
        let mut insert = QueryBuilder::new(
            "insert into events (account_id, id, event_type, occurred_at, received_at, payload, fingerprint, \
             idempotency_key, delivery_count, unsent_reason) ",
        );
        insert.push_values(events, |mut row, new| {
            row.push_bind(new.account.as_str())
                .push_bind(new.event.id.as_str())
                .push_bind(new.event.event_type.as_str())
                .push_bind(new.event.occurred_at.as_millis())
                .push_bind(now)
                .push_bind(new.event.payload.as_ref())
                .push_bind(new.event.fingerprint.as_slice())
                .push_bind(new.event.idempotency_key.as_deref())
                .push_bind(i64::from(new.delivery_count))
                .push_bind(new.unsent_reason);
        });
        insert.build().execute(&mut *connection).await?;
    }
    for deliveries in new_rows.deliveries.chunks(ROWS_PER_STATEMENT) {
        let mut insert = QueryBuilder::new(
            "insert into deliveries (id, account_id, webhook_id, event_id, event_type, status, attempts, \
             next_attempt_at, lease, created_at, updated_at) ",
        );
        insert.push_values(deliveries, |mut row, new| {
            row.push_bind(new.id.as_str())
                .push_bind(new.account.as_str())
                .push_bind(new.webhook_id.as_str())
                .push_bind(new.event.id.as_str())
                .push_bind(new.event.event_type.as_str())
                .push_bind(new.status)
                .push_bind(0_i64)
                .push_bind(new.due(new_rows).as_millis())
                .push_bind(new.lease(new_rows))
                .push_bind(now)
                .push_bind(now);
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}

async fn find_subscribers(
    connection: &mut SqliteConnection,
    account: &AccountId,
) -> Result<Vec<Subscriber>, StoreError> {
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("select id, events, state from webhooks where account_id = $1 and deleted_at is null")
            .bind(account.as_str())
            .fetch_all(connection)
            .await?;
    acceptance::subscribers(rows)
}

async fn find_known(
    connection: &mut SqliteConnection,
    submissions: &[Submission],
) -> Result<Known, StoreError> {
    let mut known = Known::default();
    let events = || {
        submissions
            .iter()
            .flat_map(|s| s.events.iter().map(|event| (s.account_id.as_str(), event)))
    };
    let ids: Vec<_> = events()
        .map(|(account, event)| (account, event.id.as_str()))
        .collect();
    let keys: Vec<_> = events()
        .filter_map(|(account, event)| Some((account, event.idempotency_key.as_deref()?)))
        .collect();
    for (column, pairs) in [("id", ids), ("idempotency_key", keys)] {
        for pairs in pairs.chunks(ROWS_PER_STATEMENT) {
            let mut query = QueryBuilder::new(format!("select {KNOWN} from events where (account_id, "));
            query.push(column).push(") in (");
            query.push_values(pairs, |mut row, (account, text)| {
                row.push_bind(*account).push_bind(*text);
            });
            query.push(")");
            let rows: Vec<KnownRow> = query.build_query_as().fetch_all(&mut *connection).await?;
            for row in rows {
                known.add_row(row)?;
            }
        }
    }
    Ok(known)
}
