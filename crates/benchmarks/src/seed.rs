//! Rows that exist before a measurement. Inserted by SQL, because publishing millions of events would take too long.

use crate::database::Pool;

/// Inserts due deliveries of the only webhook, with events of one kilobyte.
pub async fn backlog(database: &Pool, count: u64) -> anyhow::Result<()> {
    let rows = Rows {
        count,
        kind: "backlog",
        size: 900,
        status: "'pending'",
        age: Age::Recent,
    };
    rows.insert(database).await?;
    settle(database).await
}

/// Age of the inserted rows, which are one millisecond apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// The last row is from now.
    Recent,
    /// Retention deletes the rows.
    Old,
}

/// Inserts disabled webhooks that subscribe to `chat`.
pub async fn webhooks(database: &Pool, count: u64) -> anyhow::Result<()> {
    let Dialect { numbers, now, .. } = dialect(database, count);
    let id = id(database, "0000");
    database
        .execute(format!(
            "insert into webhooks (id, account_id, name, url, events, state, version, created_at, updated_at, updated_by)
             {numbers} select {id}, (select id from accounts limit 1), 'webhook ' || n, 'https://example.com/' || n, 'chat',
                 'disabled', 1, {now}, {now}, 'bench'
             from numbers"
        ))
        .await
}

/// Inserts hourly statistics of one month for every webhook.
pub async fn statistics(database: &Pool) -> anyhow::Result<()> {
    let Dialect { numbers, now, .. } = dialect(database, 30 * 24);
    let hour = format!("({now} / 3600000 - n) * 3600000");
    for (table, columns, values) in [
        ("webhook_hours", "succeeded, failed", "140, 2"),
        ("webhook_latencies", "bucket, responses", "20, 142"),
    ] {
        database
            .execute(format!(
                "insert into {table} (webhook_id, hour, {columns})
                 {numbers} select webhooks.id, {hour}, {values} from webhooks cross join numbers"
            ))
            .await?;
    }
    settle(database).await
}

/// Inserts delivered and some failed events, distributed over all webhooks. Three rows each: event, delivery, attempt.
pub async fn history(database: &Pool, count: u64, age: Age) -> anyhow::Result<()> {
    let rows = Rows {
        count,
        kind: "history",
        size: 100,
        status: "case when n % 97 = 0 then 'failed' else 'delivered' end",
        age,
    };
    rows.insert(database).await?;
    let Dialect { numbers, bytes, .. } = dialect(database, count);
    let (attempt, delivery) = (id(database, "ffff"), id(database, "0001"));
    let attempts = format!(
        "insert into attempts (id, delivery_id, number, started_at, duration_ms, url, status_code, request_headers,
             response_headers, response_body, response_truncated)
         {numbers} select {attempt}, {delivery}, 1, n, 5, 'https://example.com/', 200, '[]', '[]',
             cast('' as {bytes}), false
         from numbers"
    );
    database.execute(attempts).await?;
    settle(database).await
}

/// Returns how many events of [`history`] remain.
pub async fn remaining_history(database: &Pool) -> anyhow::Result<u64> {
    let count: i64 = database
        .fetch("select count(*) from events where id between 'history-' and 'history-:'")
        .await?;
    Ok(count.try_into()?)
}

/// Events with one delivery each.
struct Rows {
    count: u64,
    kind: &'static str,
    size: usize,
    status: &'static str,
    age: Age,
}

impl Rows {
    async fn insert(&self, database: &Pool) -> anyhow::Result<()> {
        let Self {
            count, kind, status, ..
        } = self;
        let Dialect { numbers, bytes, now } = dialect(database, *count);
        let text = "x".repeat(self.size);
        let payload =
            format!(r#"{{"type":"chat","timestamp":"2026-01-01T00:00:00.000Z","data":{{"text":"{text}"}}}}"#);
        let at = match self.age {
            Age::Recent => format!("{now} - {count} + n"),
            Age::Old => "n".to_owned(),
        };
        let before: i64 = database.fetch("select coalesce(max(key), 0) from events").await?;
        let events = format!(
            "insert into events (key, account_id, id, event_type, occurred_at, received_at, payload, fingerprint,
                 delivery_count)
             {numbers} select {before} + n, (select account_id from webhooks limit 1), '{kind}-' || n, 'chat', {at}, {at},
                 cast('{payload}' as {bytes}), cast('the fingerprint of what was sent' as {bytes}), 1
             from numbers"
        );
        database.execute(events).await?;
        let (attempts, due) = match *status {
            "'pending'" => (0, at.as_str()),
            _ => (1, "null"),
        };
        let delivery = id(database, "0001");
        let deliveries = format!(
            "insert into deliveries (id, account_id, webhook_id, event_key, event_type, status, attempts,
                 next_attempt_at, updated_at)
             {numbers}, turns as (
                 select id, account_id, row_number() over (order by id) - 1 as turn
                 from webhooks where deleted_at is null)
             select {delivery}, account_id, turns.id, {before} + n, 'chat', {status}, {attempts}, {due}, {at}
             from numbers join turns on turn = n % (select count(*) from webhooks where deleted_at is null)"
        );
        database.execute(deliveries).await?;
        if let Pool::Postgres(_) = database {
            let after = format!("select setval('event_keys', {before} + {count} + 1)");
            database.execute(after).await?;
        }
        Ok(())
    }
}

/// SQL fragments that differ between databases.
struct Dialect {
    /// Common table expression `numbers` with a column `n`, starting at 1.
    numbers: String,
    bytes: &'static str,
    /// Current time in milliseconds.
    now: &'static str,
}

fn dialect(database: &Pool, count: u64) -> Dialect {
    match database {
        Pool::Sqlite(_) => Dialect {
            numbers: format!(
                "with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < {count})"
            ),
            bytes: "blob",
            now: "unixepoch() * 1000",
        },
        Pool::Postgres(_) => Dialect {
            numbers: format!("with numbers (n) as (select generate_series(1::bigint, {count}))"),
            bytes: "bytea",
            now: "(extract(epoch from now()) * 1000)::bigint",
        },
    }
}

/// Returns SQL for the id of row `n` of this kind. The ids are ordered by `n` and sort before those of the server.
fn id(database: &Pool, kind: &str) -> String {
    match database {
        Pool::Sqlite(_) => format!("unhex(printf('00000000{kind}%020x', n))"),
        Pool::Postgres(_) => format!("decode('00000000{kind}' || lpad(to_hex(n), 20, '0'), 'hex')"),
    }
}

/// Runs pending maintenance, such as checkpoints, so that it does not disturb the measurement.
async fn settle(database: &Pool) -> anyhow::Result<()> {
    match database {
        Pool::Sqlite(_) => {
            database
                .execute("pragma wal_checkpoint(truncate)".to_owned())
                .await
        }
        Pool::Postgres(_) => {
            database.execute("vacuum (analyze)".to_owned()).await?;
            database.execute("checkpoint".to_owned()).await
        }
    }
}
