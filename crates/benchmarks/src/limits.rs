//! Limits of this machine, measured with as little overhead as possible.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, http::StatusCode, routing::post};
use caleida::{
    delivery::{sender::plain_client, signer},
    domain::Secret,
};
use sqlx::{
    Connection, PgConnection, QueryBuilder, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::task::JoinSet;

use crate::{
    cluster::Cluster,
    database::Source,
    driver::{self, Target, event},
    machine::own_cpu_time,
    receiver::Receiver,
    report::{LIFECYCLE, LIMIT, PUBLISH, Report},
    scenarios::Scale,
};

pub async fn measure(scale: &Scale, source: &Source, report: &mut Report) -> anyhow::Result<()> {
    let (rate, cost) = bare_posts(scale.limit_posts).await?;
    report.limit(rate);
    report.cost(LIMIT, cost);
    let (name, (rate, cost)) = match source {
        Source::Sqlite => ("SQLite", bare_sqlite(scale.limit_rows).await?),
        Source::Postgres(cluster) => ("PostgreSQL", bare_postgres(cluster, scale.limit_rows).await?),
    };
    report.rate(
        format!("a2 limit: delivery life cycle in {name}, batches of 100"),
        rate,
        "/s",
    );
    report.cost(LIFECYCLE, cost);
    let (rate, cost) = bare_publishing(scale.limit_posts).await?;
    report.rate("a3 limit: publish requests that store nothing", rate, "/s");
    report.cost(PUBLISH, cost);
    Ok(())
}

/// Rate per second, and CPU seconds per thousand.
type Measured = (f64, f64);

fn measured(count: u64, took: Duration, cpu: Duration) -> Measured {
    let count = count as f64;
    (count / took.as_secs_f64(), cpu.as_secs_f64() / count * 1_000.0)
}

/// Measures signed POSTs with the engine's HTTP client, 64 at a time, to the receiver of the other scenarios.
async fn bare_posts(count: u64) -> anyhow::Result<Measured> {
    let receiver = Receiver::start()?;
    let client = plain_client()?;
    let url = receiver.url("/ok");
    let secret = Arc::new(Secret::parse("a secret for the benchmarks only")?);
    let next = Arc::new(AtomicU64::new(0));
    let (started, cpu) = (Instant::now(), own_cpu_time()?);
    let mut tasks = JoinSet::new();
    for _ in 0..driver::PUBLISHERS {
        let (client, url, secret, next) = (
            client.clone(),
            url.clone(),
            Arc::clone(&secret),
            Arc::clone(&next),
        );
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return anyhow::Ok(());
                }
                let (id, body) = (format!("limit-{number}"), event(number));
                let signature = signer::sign(&id, 1_795_435_200, &body, [&*secret]);
                let request = client
                    .post(&url)
                    .header("content-type", "application/json")
                    .header(signer::ID_HEADER, id)
                    .header(signer::TIMESTAMP_HEADER, 1_795_435_200)
                    .header(signer::SIGNATURE_HEADER, signature)
                    .body(body);
                request.send().await?.error_for_status()?.bytes().await?;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(measured(count, started.elapsed(), own_cpu_time()? - cpu))
}

/// Measures publish requests to an axum handler that stores nothing.
async fn bare_publishing(count: u64) -> anyhow::Result<Measured> {
    let app = Router::new().route("/", post(|_: Bytes| async { StatusCode::ACCEPTED }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address: SocketAddr = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, app).into_future());
    let target = Target {
        address,
        path: "/",
        key: "none".to_owned(),
    };
    let cpu = own_cpu_time()?;
    let took = driver::publish(&[target], 0..count, driver::PUBLISHERS).await?;
    Ok(measured(count, took, own_cpu_time()? - cpu))
}

const BATCH_SIZE: u64 = 100;

/// Measures the life cycle of deliveries in SQLite: insert event and delivery, claim, record the attempt. Three commits
/// per batch, a minimal schema, and the server's durability.
async fn bare_sqlite(count: u64) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("limit.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    for table in [
        "create table events (id text primary key, payload blob) strict",
        "create table deliveries (id text primary key, event_id text, due integer, lease text) strict",
        "create index due on deliveries (due) where due is not null",
        "create table attempts (id text primary key, delivery_id text, status integer, body blob) strict",
    ] {
        sqlx::query(table).execute(&mut connection).await?;
    }
    let (started, cpu) = (Instant::now(), own_cpu_time()?);
    for first in (0..count).step_by(BATCH_SIZE as usize) {
        life_cycle_in_sqlite(&mut connection, first).await?;
    }
    Ok(measured(count, started.elapsed(), own_cpu_time()? - cpu))
}

fn ids_of_batch(first: u64) -> Vec<String> {
    (first..first + BATCH_SIZE)
        .map(|number| format!("dlv_{number:032x}"))
        .collect()
}

async fn life_cycle_in_sqlite(connection: &mut SqliteConnection, first: u64) -> anyhow::Result<()> {
    let ids = ids_of_batch(first);
    let payload = event(first);

    let mut tx = connection.begin().await?;
    let mut events = QueryBuilder::new("insert into events ");
    events.push_values(&ids, |mut row, id| {
        row.push_bind(id).push_bind(payload.as_ref());
    });
    events.build().execute(&mut *tx).await?;
    let mut deliveries = QueryBuilder::new("insert into deliveries ");
    deliveries.push_values(&ids, |mut row, id| {
        row.push_bind(id)
            .push_bind(id)
            .push_bind(1_i64)
            .push_bind(None::<String>);
    });
    deliveries.build().execute(&mut *tx).await?;
    tx.commit().await?;

    let claim = "update deliveries set due = 2, lease = 'x' where id in
                 (select id from deliveries where due <= 1 order by due limit 100) returning id";
    let claimed: Vec<String> = sqlx::query_scalar(claim).fetch_all(&mut *connection).await?;

    let mut tx = connection.begin().await?;
    let mut attempts = QueryBuilder::new("insert into attempts ");
    attempts.push_values(&claimed, |mut row, id| {
        row.push_bind(id)
            .push_bind(id)
            .push_bind(200_i64)
            .push_bind(&b""[..]);
    });
    attempts.build().execute(&mut *tx).await?;
    let mut done = QueryBuilder::new("update deliveries set due = null, lease = null where id in (");
    let mut list = done.separated(", ");
    for id in &claimed {
        list.push_bind(id);
    }
    done.push(")");
    done.build().execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}

/// Measures the life cycle of deliveries in PostgreSQL. The CPU time includes that of the database server.
async fn bare_postgres(cluster: &Cluster, count: u64) -> anyhow::Result<Measured> {
    let mut connection = PgConnection::connect(&cluster.create_database().await?).await?;
    for table in [
        "create table events (id text primary key, payload bytea)",
        "create table deliveries (id text primary key, event_id text, due bigint, lease text)",
        "create index due on deliveries (due) where due is not null",
        "create table attempts (id text primary key, delivery_id text, status bigint, body bytea)",
    ] {
        sqlx::query(table).execute(&mut connection).await?;
    }
    let cpu_time = || anyhow::Ok(own_cpu_time()? + cluster.cpu_time()?);
    let (started, cpu) = (Instant::now(), cpu_time()?);
    for first in (0..count).step_by(BATCH_SIZE as usize) {
        life_cycle_in_postgres(&mut connection, first).await?;
    }
    Ok(measured(count, started.elapsed(), cpu_time()? - cpu))
}

async fn life_cycle_in_postgres(connection: &mut PgConnection, first: u64) -> anyhow::Result<()> {
    let ids = ids_of_batch(first);
    let payload = event(first);

    let mut tx = connection.begin().await?;
    let events = "insert into events select * from unnest($1::text[], $2::bytea[])";
    sqlx::query(events)
        .bind(&ids)
        .bind(vec![payload.as_ref(); ids.len()])
        .execute(&mut *tx)
        .await?;
    let deliveries = "insert into deliveries select id, id, 1, null from unnest($1::text[]) as new (id)";
    sqlx::query(deliveries).bind(&ids).execute(&mut *tx).await?;
    tx.commit().await?;

    let claim = "update deliveries set due = 2, lease = 'x' where id = any(array(
                 select id from deliveries where due <= 1 order by due limit 100 for update skip locked)) returning id";
    let claimed: Vec<String> = sqlx::query_scalar(claim).fetch_all(&mut *connection).await?;

    let mut tx = connection.begin().await?;
    let attempts = "insert into attempts select id, id, 200, '' from unnest($1::text[]) as new (id)";
    sqlx::query(attempts).bind(&claimed).execute(&mut *tx).await?;
    let done = "update deliveries set due = null, lease = null where id = any($1)";
    sqlx::query(done).bind(&claimed).execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}
