//! What becomes of everything while the database is away, read-only, or another one.

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
    receiver::{Answer, Gate, Receiver},
};

/// Longer than it takes to notice anything: the database's absence, and its return.
const PATIENCE: Duration = Duration::from_secs(45);

async fn start(database: &str) -> Program {
    Program::start(&[
        ("DATABASE_URL", database),
        ("CALEIDA_DELIVERY_TIMEOUT", "2s"),
        ("CALEIDA_RETRY_SCHEDULE", "100ms,100ms,100ms"),
    ])
    .await
}

async fn readiness(program: &Program, wanted: StatusCode) {
    let became = eventually_within(PATIENCE, || async {
        (program.api().status("/readyz").await == wanted).then_some(())
    });
    became.await.unwrap_or_else(|| panic!("it never was {wanted}"));
}

/// Publishing is refused politely, and readiness says why to a balancer.
async fn is_away(program: &Program) {
    readiness(program, StatusCode::SERVICE_UNAVAILABLE).await;
    let answer = program.api().publish("refused").await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    let problem = answer.text().await.unwrap();
    assert!(problem.contains("\"status\":503"), "{problem}");
    assert_eq!(program.api().status("/healthz").await, StatusCode::OK);
}

/// Everything that was accepted arrives and is on record, without anybody's help.
async fn heals(program: &Program, receiver: &Receiver, accepted: &BTreeSet<String>) {
    readiness(program, StatusCode::OK).await;
    let complete = eventually_within(PATIENCE, || async {
        let arrived = arrivals(receiver);
        let complete = accepted.iter().all(|id| arrived.contains_key(id));
        (complete && program.api().deliveries("pending").await.is_empty()).then_some(())
    });
    if complete.await.is_none() {
        let arrived = arrivals(receiver);
        let lost: Vec<_> = accepted.iter().filter(|id| !arrived.contains_key(*id)).collect();
        panic!(
            "of {} accepted, these did not arrive: {lost:?}\n{}",
            accepted.len(),
            program.log()
        );
    }
}

#[tokio::test]
async fn a_server_that_is_stopped_killed_and_started_again_costs_nothing_but_time() {
    let mut server = Server::start().await;
    let program = start(&server.create_database().await).await;
    let receiver = Receiver::start().await;
    program.api().add_webhook(&receiver.url("/")).await;
    let publishers = Publishers::start(8, vec![program.api()]);
    for command in ["stop", "kill"] {
        let before = publishers.accepted();
        receiver.wait_for(arrivals(&receiver).len() + 20).await;
        // One is under way when the database goes: it is recorded when it is back.
        let under_way = Gate::closed();
        receiver.answer(Answer::Hold(under_way.clone(), 200));
        server.command(command);
        is_away(&program).await;
        under_way.open();
        server.command("start");
        readiness(&program, StatusCode::OK).await;
        let again = eventually_within(PATIENCE, || async {
            (publishers.accepted() > before + 20).then_some(())
        });
        again.await.expect("nothing was accepted any more");
    }
    let accepted = publishers.stop().await;
    heals(&program, &receiver, &accepted).await;
}

#[tokio::test]
async fn connections_that_are_all_cut_are_made_anew() {
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
    let again = eventually_within(PATIENCE, || async {
        (publishers.accepted() > before + 20).then_some(())
    });
    again.await.expect("nothing was accepted any more");
    let accepted = publishers.stop().await;
    heals(&program, &receiver, &accepted).await;
}

#[tokio::test]
async fn a_database_that_is_read_only_for_a_while_is_waited_for() {
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
    is_away(&program).await;
    // Whoever only reads is served.
    program.api().deliveries("delivered").await;
    server
        .run("alter system reset default_transaction_read_only")
        .await;
    server.run("select pg_reload_conf()").await;
    readiness(&program, StatusCode::OK).await;
    let before = publishers.accepted();
    let again = eventually_within(PATIENCE, || async {
        (publishers.accepted() > before + 20).then_some(())
    });
    again.await.expect("nothing was accepted any more");
    let accepted = publishers.stop().await;
    heals(&program, &receiver, &accepted).await;
}

/// An address that leads to one server now and to another later, as a balancer or a name in the DNS does.
struct Address {
    port: u16,
    leads_to: Arc<AtomicU16>,
    task: JoinHandle<()>,
}

impl Address {
    async fn of(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let leads_to = Arc::new(AtomicU16::new(server.port()));
        let there = Arc::clone(&leads_to);
        let task = tokio::spawn(async move {
            while let Ok((mut here, _)) = listener.accept().await {
                let there = SocketAddr::from(([127, 0, 0, 1], there.load(Ordering::Relaxed)));
                tokio::spawn(async move {
                    if let Ok(mut there) = TcpStream::connect(there).await {
                        let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
                    }
                });
            }
        });
        Self { port, leads_to, task }
    }

    fn lead_to(&self, server: &Server) {
        self.leads_to.store(server.port(), Ordering::Relaxed);
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_survives_a_failover_to_a_synchronous_standby() {
    let mut primary = Server::start().await;
    let database = primary.create_database().await;
    let mut standby = primary.standby().await;
    primary
        .run("alter system set synchronous_standby_names = 'standby'")
        .await;
    primary.run("select pg_reload_conf()").await;

    let address = Address::of(&primary).await;
    let database = database.replace(&format!(":{}", primary.port()), &format!(":{}", address.port));
    let program = start(&database).await;
    let receiver = Receiver::start().await;
    program.api().add_webhook(&receiver.url("/")).await;
    let publishers = Publishers::start(8, vec![program.api()]);
    receiver.wait_for(100).await;
    primary.command("kill");
    let before = publishers.accepted();
    standby.command("promote");
    address.lead_to(&standby);
    let again = eventually_within(PATIENCE, || async {
        (publishers.accepted() > before + 100).then_some(())
    });
    again.await.expect("nothing was accepted any more");
    let accepted = publishers.stop().await;
    heals(&program, &receiver, &accepted).await;
    println!("{before} events were accepted before, {} in all", accepted.len());
}

/// A statement that the database refuses fails again when it is repeated: nobody is told to come back later.
async fn a_bug(database: &str, break_it: impl AsyncFn(&str)) {
    let program = start(database).await;
    break_it("alter table webhooks rename column events to wanted").await;
    let answer = program
        .api()
        .call(Method::GET, "/api/v1/webhooks")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!answer.headers().contains_key("retry-after"));
    let answer = program.api().publish("refused").await.unwrap();
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let log = program.log();
    assert!(
        log.contains("column") && log.contains("events"),
        "the source is in the log: {log}"
    );
}

#[tokio::test]
async fn a_bug_is_no_outage_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("caleida.db").display());
    a_bug(&database, async |sql: &str| {
        let mut connection = SqliteConnection::connect(&database).await.unwrap();
        sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(&mut connection)
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_bug_is_no_outage_on_postgres() {
    let database = postgres::create_database().await;
    a_bug(&database, async |sql: &str| postgres::run(&database, sql).await).await;
}
