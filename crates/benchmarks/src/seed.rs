//! Rows that are there before anything is measured, written by SQL: to publish millions would take as long as all else.

use anyhow::Context;
use sqlx::{AssertSqlSafe, SqlitePool};

const NUMBERS: &str =
    "with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ";

/// Deliveries of the only webhook that are all due, with events of a kilobyte.
pub async fn backlog(database: &SqlitePool, count: u64) -> anyhow::Result<()> {
    rows(database, count, "backlog", 900, "pending", Age::Recent).await
}

/// When the rows were written, one every millisecond.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// The last of them just now.
    Recent,
    /// So long ago that retention deletes them.
    Old,
}

/// Events that were delivered, each with its attempt: three rows for each.
pub async fn history(database: &SqlitePool, count: u64, age: Age) -> anyhow::Result<()> {
    rows(database, count, "history", 100, "delivered", age).await?;
    let attempts = format!(
        "{NUMBERS}{count}) insert into attempts (id, delivery_id, number, started_at, duration_ms, url, status_code,
             request_headers, response_headers, response_body, response_truncated)
         select printf('dlv_00000000ffff%020x', n), printf('dlv_00000000%04x%020x', 1, n), 1, n, 5,
             'https://example.com/', 200, '[]', '[]', x'', 0 from numbers"
    );
    sqlx::query(AssertSqlSafe(attempts)).execute(database).await?;
    Ok(())
}

/// How many of the events of [`history`] are still there.
pub async fn left_of_history(database: &SqlitePool) -> anyhow::Result<u64> {
    let left: i64 =
        sqlx::query_scalar("select count(*) from events where id between 'history-' and 'history-:'")
            .fetch_one(database)
            .await?;
    Ok(left.try_into()?)
}

async fn rows(
    database: &SqlitePool,
    count: u64,
    kind: &str,
    size: usize,
    status: &str,
    age: Age,
) -> anyhow::Result<()> {
    let (webhook, account): (String, String) =
        sqlx::query_as("select id, account_id from webhooks where deleted_at is null limit 1")
            .fetch_optional(database)
            .await?
            .context("add a webhook first")?;
    let text = "x".repeat(size);
    let payload =
        format!(r#"{{"type":"chat","timestamp":"2026-01-01T00:00:00.000Z","data":{{"text":"{text}"}}}}"#);
    let at = match age {
        Age::Recent => format!("unixepoch() * 1000 - {count} + n"),
        Age::Old => "n".to_owned(),
    };
    let events = format!(
        "{NUMBERS}{count}) insert into events (account_id, id, event_type, occurred_at, received_at, payload,
             fingerprint, delivery_count)
         select $1, '{kind}-' || n, 'chat', {at}, {at}, cast($2 as blob), randomblob(32), 1 from numbers"
    );
    sqlx::query(AssertSqlSafe(events))
        .bind(&account)
        .bind(&payload)
        .execute(database)
        .await?;
    let deliveries = format!(
        "{NUMBERS}{count}) insert into deliveries (id, account_id, webhook_id, event_id, event_type, status, attempts,
             next_attempt_at, created_at, updated_at)
         select printf('dlv_00000000%04x%020x', 1, n), $1, $2, '{kind}-' || n, 'chat', '{status}', $3,
             iif($3 = 0, {at}, null), {at}, {at} from numbers"
    );
    sqlx::query(AssertSqlSafe(deliveries))
        .bind(&account)
        .bind(&webhook)
        .bind(i64::from(status != "pending"))
        .execute(database)
        .await?;
    sqlx::query("pragma wal_checkpoint(truncate)")
        .execute(database)
        .await?;
    Ok(())
}
