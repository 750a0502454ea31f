//! Database outages: PostgreSQL stops, is killed, becomes read-only or fails over.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use reqwest::{Method, StatusCode};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::support::{
    app::eventually_within,
    postgres::{self, Server},
    program::Program,
    publishers::{Publishers, arrivals},
    receiver::{Latch, Receiver, Reply},
};

/// Longer than the server takes to notice an outage or its end.
const WAIT_TIMEOUT: Duration = Duration::from_secs(45);

async fn start(database: &str) -> Program {
    Program::start(&[
        ("DATABASE_URL", database),
        ("CALEIDA_DELIVERY_TIMEOUT", "2s"),
        ("CALEIDA_RETRY_SCHEDULE", "100ms,100ms,100ms"),
    ])
    .await
}

/// Waits until `/readyz` returns this status.
async fn wait_for_readiness(program: &Program, expected: StatusCode) {
    let reached = eventually_within(WAIT_TIMEOUT, || async {
        (program.api().status("/readyz").await == expected).then_some(())
    });
    reached
        .await
        .unwrap_or_else(|| panic!("/readyz never returned {expected}"));
}

/// Asserts that publishing and readiness return 503 while the process stays up.
async fn assert_unavailable(program: &Program) {
    wait_for_readiness(program, StatusCode::SERVICE_UNAVAILABLE).await;
    let response = program.api().publish("refused").await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    let problem = response.text().await.unwrap();
    assert!(problem.contains("\"status\":503"), "{problem}");
    assert_eq!(program.api().status("/healthz").await, StatusCode::OK);
}

/// Asserts that the server becomes ready and delivers all accepted events.
async fn assert_recovers(program: &Program, receiver: &Receiver, accepted: &BTreeSet<String>) {
    wait_for_readiness(program, StatusCode::OK).await;
    let complete = eventually_within(WAIT_TIMEOUT, || async {
        let arrived = arrivals(receiver);
        let complete = accepted.iter().all(|id| arrived.contains_key(id));
        (complete && program.api().deliveries("pending").await.is_empty()).then_some(())
    });
    if complete.await.is_none() {
        let arrived = arrivals(receiver);
        let lost: Vec<_> = accepted.iter().filter(|id| !arrived.contains_key(*id)).collect();
        panic!(
            "lost {} of {} accepted events: {lost:?}\n{}",
            lost.len(),
            accepted.len(),
            program.log()
        );
    }
}

#[tokio::test]
async fn no_event_is_lost_when_postgres_restarts() {
    let mut server = Server::start().await;
    let program = start(&server.create_database().await).await;
    let receiver = Receiver::start().await;
    program.api().add_webhook(&receiver.url("/")).await;
    let publishers = Publishers::start(8, vec![program.api()]);
    for command in ["stop", "kill"] {
        let before = publishers.accepted();
        receiver.wait_for(arrivals(&receiver).len() + 20).await;
        // One attempt is in flight when the database goes down. It is recorded once the database is back.
        let latch = Latch::closed();
        receiver.reply(Reply::Hold(latch.clone(), 200));
        server.command(command);
        assert_unavailable(&program).await;
        latch.open();
        server.command("start");
        wait_for_readiness(&program, StatusCode::OK).await;
        let recovered = eventually_within(WAIT_TIMEOUT, || async {
            (publishers.accepted() > before + 20).then_some(())
        });
        recovered.await.expect("events are accepted again");
    }
    let accepted = publishers.stop().await;
    assert_recovers(&program, &receiver, &accepted).await;
}

#[tokio::test]
async fn terminated_connections_are_reopened() {
    let server = Server::start().await;
    let database = server.create_database().await;
    let program = start(&database).await;
    let receiver = Receiver::start().await;
    program.api().add_webhook(&receiver.url("/")).await;
    let publishers = Publishers::start(8, vec![program.api()]);
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        postgres::run(
            &database,
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()",
        )
        .await;
    }
    let before = publishers.accepted();
    let recovered = eventually_within(WAIT_TIMEOUT, || async {
        (publishers.accepted() > before + 20).then_some(())
    });
    recovered.await.expect("events are accepted again");
    let accepted = publishers.stop().await;
    assert_recovers(&program, &receiver, &accepted).await;
}

#[tokio::test]
async fn recovers_after_database_was_read_only() {
    let server = Server::start().await;
    let program = start(&server.create_database().await).await;
    let receiver = Receiver::start().await;
    program.api().add_webhook(&receiver.url("/")).await;
    let publishers = Publishers::start(4, vec![program.api()]);
    receiver.wait_for(20).await;
    server
        .run("alter system set default_transaction_read_only = on")
        .await;
    server.run("select pg_reload_conf()").await;
    assert_unavailable(&program).await;
    // Reads still work.
    program.api().deliveries("delivered").await;
    server
        .run("alter system reset default_transaction_read_only")
        .await;
    server.run("select pg_reload_conf()").await;
    wait_for_readiness(&program, StatusCode::OK).await;
    let before = publishers.accepted();
    let recovered = eventually_within(WAIT_TIMEOUT, || async {
        (publishers.accepted() > before + 20).then_some(())
    });
    recovered.await.expect("events are accepted again");
    let accepted = publishers.stop().await;
    assert_recovers(&program, &receiver, &accepted).await;
}

/// A TCP proxy whose target can be changed, like a load balancer or a DNS name.
struct Proxy {
    port: u16,
    target: Arc<AtomicU16>,
    task: JoinHandle<()>,
}

impl Proxy {
    async fn start(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = Arc::new(AtomicU16::new(server.port()));
        let current = Arc::clone(&target);
        let task = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let address = SocketAddr::from(([127, 0, 0, 1], current.load(Ordering::Relaxed)));
                tokio::spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(address).await {
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        Self { port, target, task }
    }

    fn redirect_to(&self, server: &Server) {
        self.target.store(server.port(), Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepted_events_survive_failover_to_synchronous_standby() {
    let mut primary = Server::start().await;
    let database = primary.create_database().await;
    let mut standby = primary.standby().await;
    primary
        .run("alter system set synchronous_standby_names = 'standby'")
        .await;
    primary.run("select pg_reload_conf()").await;

    let proxy = Proxy::start(&primary).await;
    let database = database.replace(&format!(":{}", primary.port()), &format!(":{}", proxy.port));
    let program = start(&database).await;
    let receiver = Receiver::start().await;
    program.api().add_webhook(&receiver.url("/")).await;
    let publishers = Publishers::start(8, vec![program.api()]);
    receiver.wait_for(100).await;
    primary.command("kill");
    let before = publishers.accepted();
    standby.command("promote");
    proxy.redirect_to(&standby);
    let recovered = eventually_within(WAIT_TIMEOUT, || async {
        (publishers.accepted() > before + 100).then_some(())
    });
    recovered.await.expect("events are accepted again");
    let accepted = publishers.stop().await;
    assert_recovers(&program, &receiver, &accepted).await;
    println!(
        "{before} events were accepted before the failover, {} in total",
        accepted.len()
    );
}

/// A statement that the database rejects would fail again, so the response is 500 without `Retry-After`.
async fn check_invalid_statement(database: &str, run_sql: impl AsyncFn(&str)) {
    let program = start(database).await;
    run_sql("alter table webhooks rename column events to renamed").await;
    let response = program
        .api()
        .call(Method::GET, "/api/v1/webhooks")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!response.headers().contains_key("retry-after"));
    let response = program.api().publish("refused").await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    program.wait_for_log("column").await;
    program.wait_for_log("events").await;
}

#[tokio::test]
async fn invalid_statement_returns_500_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("caleida.db").display());
    check_invalid_statement(&database, async |sql: &str| {
        let mut connection = SqliteConnection::connect(&database).await.unwrap();
        sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(&mut connection)
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn invalid_statement_returns_500_on_postgres() {
    let database = postgres::create_database().await;
    check_invalid_statement(&database, async |sql: &str| postgres::run(&database, sql).await).await;
}
