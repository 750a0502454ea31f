//! Rows that are there before anything is measured, written by SQL: to publish millions would take as long as all else.

use crate::database::Pool;

/// Deliveries of the only webhook that are all due, with events of a kilobyte.
pub async fn backlog(database: &Pool, count: u64) -> anyhow::Result<()> {
    let rows = Rows {
        count,
        kind: "backlog",
        size: 900,
        status: "pending",
        age: Age::Recent,
    };
    rows.insert(database).await?;
    settle(database).await
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
pub async fn history(database: &Pool, count: u64, age: Age) -> anyhow::Result<()> {
    let rows = Rows {
        count,
        kind: "history",
        size: 100,
        status: "delivered",
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

/// How many of the events of [`history`] are still there.
pub async fn left_of_history(database: &Pool) -> anyhow::Result<u64> {
    let left: i64 = database
        .fetch("select count(*) from events where id between 'history-' and 'history-:'")
        .await?;
    Ok(left.try_into()?)
}

/// Events with a delivery each.
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
        let only = "from webhooks where deleted_at is null";
        let text = "x".repeat(self.size);
        let payload =
            format!(r#"{{"type":"chat","timestamp":"2026-01-01T00:00:00.000Z","data":{{"text":"{text}"}}}}"#);
        let at = match self.age {
            Age::Recent => format!("{now} - {count} + n"),
            Age::Old => "n".to_owned(),
        };
        let events = format!(
            "insert into events (account_id, id, event_type, occurred_at, received_at, payload, fingerprint,
                 delivery_count)
             {numbers} select (select account_id {only}), '{kind}-' || n, 'chat', {at}, {at},
                 cast('{payload}' as {bytes}), cast('the fingerprint of what was sent' as {bytes}), 1
             from numbers"
        );
        database.execute(events).await?;
        let (attempts, due) = match *status {
            "pending" => (0, at.as_str()),
            _ => (1, "null"),
        };
        let delivery = id(database, "0001");
        let deliveries = format!(
            "insert into deliveries (id, account_id, webhook_id, event_id, event_type, status, attempts,
                 next_attempt_at, created_at, updated_at)
             {numbers} select {delivery}, (select account_id {only}), (select id {only}), '{kind}-' || n, 'chat',
                 '{status}', {attempts}, {due}, {at}, {at}
             from numbers"
        );
        database.execute(deliveries).await
    }
}

/// What a database says in its own way.
struct Dialect {
    /// A table `numbers` with a column `n`, from one on.
    numbers: String,
    bytes: &'static str,
    /// In milliseconds.
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

/// The id of a row of this kind with the number `n`: in their order, older than all that the program makes.
fn id(database: &Pool, kind: &str) -> String {
    match database {
        Pool::Sqlite(_) => format!("printf('dlv_00000000{kind}%020x', n)"),
        Pool::Postgres(_) => format!("'dlv_00000000{kind}' || lpad(to_hex(n), 20, '0')"),
    }
}

/// Leaves nothing to be done later for what was written at once.
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
