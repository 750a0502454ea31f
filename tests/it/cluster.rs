//! Several server processes that share one PostgreSQL database.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
    time::Duration,
};

use caleida::{domain::Clock, server::clock::SystemClock};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::Instant};

use crate::support::{
    app::{ADMIN, PASSWORD, eventually, eventually_within},
    postgres,
    program::{Api, Program},
    publishers::{Publishers, arrivals},
    random::Random,
    receiver::{Receiver, Reply},
};

const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Starts a process on this database.
async fn process(database: &str, settings: &[(&'static str, &str)]) -> Program {
    let defaults = [
        ("DATABASE_URL", database),
        ("CALEIDA_MASTER_KEY", MASTER_KEY),
        ("CALEIDA_ADMIN_PASSWORD", PASSWORD),
        ("CALEIDA_DELIVERY_TIMEOUT", "2s"),
        ("CALEIDA_RETRY_SCHEDULE", "100ms,100ms,100ms"),
    ];
    Program::start(&[&defaults, settings].concat()).await
}

/// Starts `count` processes at the same time on an empty database.
pub async fn processes(count: usize) -> (String, Vec<Program>) {
    let database = postgres::create_database().await;
    let mut starting = JoinSet::new();
    for _ in 0..count {
        let database = database.clone();
        starting.spawn(async move { process(&database, &[]).await });
    }
    (database, starting.join_all().await)
}

fn apis(programs: &[Program]) -> Vec<Api> {
    programs.iter().map(Program::api).collect()
}

fn path_of(webhook: &Value) -> String {
    format!("webhooks/{}", webhook["id"].as_str().unwrap())
}

async fn publish(api: &Api, id: &str) {
    let response = api.publish(id).await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
}

/// Waits until all accepted events have arrived and no delivery is pending.
async fn wait_until_all_arrived(
    receiver: &Receiver,
    accepted: &BTreeSet<String>,
    api: &Api,
    limit: Duration,
) {
    let complete = eventually_within(limit, || async {
        let arrived = arrivals(receiver);
        let complete = accepted.iter().all(|id| arrived.contains_key(id));
        (complete && api.deliveries("pending").await.is_empty()).then_some(())
    });
    if complete.await.is_none() {
        let arrived = arrivals(receiver);
        let lost: Vec<_> = accepted.iter().filter(|id| !arrived.contains_key(*id)).collect();
        panic!(
            "lost {} of {} accepted events: {lost:?}",
            lost.len(),
            accepted.len()
        );
    }
}

#[tokio::test]
async fn concurrent_starts_migrate_once_and_share_state() {
    let (_, programs) = processes(4).await;
    for program in &programs {
        assert_eq!(program.api().status("/readyz").await, StatusCode::OK);
    }
    // A session works in every process.
    let mut browser = programs[0].api().browser();
    let page = browser
        .post("/login", &[("email", ADMIN), ("password", PASSWORD)])
        .await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    for program in &programs {
        let mut other = program.api().browser();
        other.cookie.clone_from(&browser.cookie);
        assert_eq!(other.get("/integrations/webhook").await.status, StatusCode::OK);
    }
    // Login failures count in every process.
    for attempt in 0..9 {
        let mut guesser = programs[attempt % 3].api().browser();
        guesser
            .post("/login", &[("email", ADMIN), ("password", "a guess")])
            .await;
    }
    let mut guesser = programs[3].api().browser();
    let page = guesser
        .post("/login", &[("email", ADMIN), ("password", PASSWORD)])
        .await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn process_with_other_master_key_fails_to_start() {
    let (database, _programs) = processes(1).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("site/pkg")).unwrap();
    std::fs::write(folder.path().join("site/pkg/caleida.css"), "").unwrap();
    let mut other = Command::new(env!("CARGO_BIN_EXE_caleida"));
    other
        .args([
            "serve",
            "--listen=127.0.0.1:0",
            "--metrics-listen=off",
            "--site-root=site",
        ])
        .env_clear()
        .env("DATABASE_URL", &database)
        .current_dir(folder.path())
        .stdin(Stdio::null());
    let other = tokio::task::spawn_blocking(move || other.output().unwrap())
        .await
        .unwrap();
    let stderr = String::from_utf8(other.stderr).unwrap();
    assert_eq!(other.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("use a different master key: start all of them with the same"),
        "{stderr}"
    );
}

#[tokio::test]
async fn worker_delivers_events_accepted_by_web() {
    let database = postgres::create_database().await;
    let web = process(&database, &[("CALEIDA_ROLE", "web")]).await;
    let worker = process(&database, &[("CALEIDA_ROLE", "worker")]).await;
    assert_eq!(worker.api().status("/login").await, StatusCode::NOT_FOUND);
    for program in [&web, &worker] {
        assert_eq!(program.api().status("/readyz").await, StatusCode::OK);
    }
    let receiver = Receiver::start().await;
    web.api().add_webhook(&receiver.url("/")).await;
    // A notification wakes the worker at once; without one, it polls every two seconds.
    let mut slowest = Duration::ZERO;
    for number in 0..5 {
        let published = Instant::now();
        publish(&web.api(), &number.to_string()).await;
        receiver.wait_for(number + 1).await;
        slowest = slowest.max(published.elapsed());
    }
    println!("web to worker: {slowest:?} at most");
    // Events accepted without a worker are delivered once one starts.
    drop(worker);
    publish(&web.api(), "later").await;
    let _worker = process(&database, &[("CALEIDA_ROLE", "worker")]).await;
    receiver.wait_for(6).await;
}

#[tokio::test]
async fn each_delivery_is_sent_by_one_process() {
    let (_, programs) = processes(3).await;
    let receiver = Receiver::start().await;
    // Slow enough for a backlog that all processes claim from.
    receiver.reply_always(Reply::Delayed(Duration::from_millis(20), 200));
    programs[0].api().add_webhook(&receiver.url("/")).await;
    let publishers = Publishers::start(16, apis(&programs));
    while publishers.accepted() < 1_000 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let accepted = publishers.stop().await;
    wait_until_all_arrived(&receiver, &accepted, &programs[0].api(), Duration::from_secs(60)).await;
    let arrived = arrivals(&receiver);
    let twice: Vec<_> = arrived.iter().filter(|&(_, &count)| count > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[tokio::test]
async fn clock_skew_of_one_minute_is_tolerated() {
    let library = shifted_clock();
    let database = postgres::create_database().await;
    let mut programs = Vec::new();
    for seconds in ["60", "-60", "0"] {
        let shift = [
            ("LD_PRELOAD", library.to_str().unwrap()),
            ("CLOCK_SHIFT", seconds),
        ];
        programs.push(process(&database, &shift).await);
    }
    let receiver = Receiver::start().await;
    let first = receiver.url("/");
    programs[0].api().add_webhook(&first).await;
    // Long enough for each process to see the leases of the others several times.
    receiver.reply_always(Reply::Delayed(Duration::from_millis(1_500), 200));
    for number in 0..9 {
        publish(&programs[number % 3].api(), &number.to_string()).await;
    }
    let accepted = (0..9).map(|number: usize| number.to_string()).collect();
    wait_until_all_arrived(&receiver, &accepted, &programs[0].api(), Duration::from_secs(20)).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(receiver.received().len(), 9, "each event arrives once");
    let now = SystemClock.now().as_secs();
    for call in receiver.received() {
        let signed: i64 = call.header("webhook-timestamp").parse().unwrap();
        assert!(
            (0..30).contains(&(now - signed)),
            "signed as of {signed}, at {now}"
        );
    }
    // All processes agree on when a retry is due.
    receiver.reply(Reply::Status(500));
    receiver.reply_always(Reply::Status(200));
    publish(&programs[0].api(), "again").await;
    receiver.wait_for(11).await;
}

/// Builds a library that shifts the wall clock of a process by `CLOCK_SHIFT` seconds. The monotonic clock is unchanged.
fn shifted_clock() -> tempfile::TempPath {
    const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*get)(clockid_t, struct timespec *);
    if (!get) get = dlsym(RTLD_NEXT, "clock_gettime");
    int result = get(clock, time);
    const char *shift = getenv("CLOCK_SHIFT");
    if (clock == CLOCK_REALTIME && shift) time->tv_sec += atol(shift);
    return result;
}
"#;
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("clock.c");
    std::fs::write(&source, SOURCE).unwrap();
    let library = tempfile::Builder::new()
        .suffix(".so")
        .tempfile()
        .unwrap()
        .into_temp_path();
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source)
        .arg("-ldl")
        .status()
        .unwrap();
    assert!(compiled.success());
    library
}

#[tokio::test]
async fn edits_and_rotations_propagate_before_response() {
    let (database, programs) = processes(3).await;
    let (old, new) = (Receiver::start().await, Receiver::start().await);
    let webhook = programs[0].api().add_webhook(&old.url("/")).await;
    let path = path_of(&webhook);
    let mut published = 0;
    let mut publish_to_all = async |receiver: &Receiver| {
        for program in &programs {
            published += 1;
            publish(&program.api(), &format!("event-{published}")).await;
            let id = format!("event-{published}");
            let arrived = eventually(|| async { arrivals(receiver).contains_key(&id).then_some(()) });
            arrived.await.expect("the event arrives at the current URL");
        }
    };
    publish_to_all(&old).await;
    for round in 0..10 {
        let (current, previous) = if round % 2 == 0 {
            (&new, &old)
        } else {
            (&old, &new)
        };
        let before = previous.received().len();
        if round % 3 == 2 {
            // A process that loses its LISTEN connection still sees the changes.
            postgres::run(
                &database,
                "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and query ilike 'listen%'",
            )
            .await;
        }
        let change = json!({ "url": current.url("/") });
        let api = &programs[round % 3].api();
        api.change(Method::PATCH, &path, &change).await;
        publish_to_all(current).await;
        assert_eq!(previous.received().len(), before, "round {round}");
        let rotated = api
            .change(
                Method::POST,
                &format!("{path}/rotate-secret"),
                &json!({ "overlap_hours": 0 }),
            )
            .await;
        let secret = rotated["secret"].as_str().unwrap();
        let rotated_at = current.received().len();
        publish_to_all(current).await;
        for call in &current.received()[rotated_at..] {
            assert!(call.is_signed_with(secret), "round {round}");
        }
    }
}

#[tokio::test]
async fn delete_and_pause_apply_to_every_process() {
    let (_, programs) = processes(3).await;
    for round in 0..6 {
        let receiver = Receiver::start().await;
        receiver.reply_always(Reply::Status(500));
        let webhook = programs[0].api().add_webhook(&receiver.url("/")).await;
        let path = path_of(&webhook);
        let publishers = Publishers::start(6, apis(&programs));
        receiver.wait_for(30).await;
        let api = programs[round % 3].api();
        if round % 2 == 0 {
            api.change(Method::DELETE, &path, &json!({})).await;
            let (deleted, calls) = (Instant::now(), receiver.received().len());
            tokio::time::sleep(Duration::from_millis(700)).await;
            let late: Vec<_> = receiver.received()[calls..]
                .iter()
                .map(|call| call.at.saturating_duration_since(deleted))
                .collect();
            assert!(late.is_empty(), "calls after the response: {late:?}");
        } else {
            api.change(Method::POST, &format!("{path}/pause"), &json!({}))
                .await;
            // Attempts in flight may still complete.
            tokio::time::sleep(Duration::from_millis(300)).await;
            let calls = receiver.received().len();
            tokio::time::sleep(Duration::from_millis(700)).await;
            assert_eq!(receiver.received().len(), calls, "calls while paused");
            receiver.reply_always(Reply::Status(200));
            api.change(Method::POST, &format!("{path}/resume"), &json!({}))
                .await;
            receiver.wait_for(calls + 30).await;
            api.change(Method::DELETE, &path, &json!({})).await;
        }
        publishers.stop().await;
    }
}

#[tokio::test]
async fn frozen_process_sends_nothing_after_waking_up() {
    let (_, programs) = processes(2).await;
    let (frozen, awake) = (&programs[0], &programs[1]);
    let (receiver, other) = (Receiver::start().await, Receiver::start().await);
    receiver.reply_always(Reply::Status(500));
    let webhook = awake.api().add_webhook(&receiver.url("/")).await;
    let publishers = Publishers::start(8, vec![frozen.api()]);
    receiver.wait_for(100).await;
    frozen.freeze();
    let started = Instant::now();
    awake
        .api()
        .change(Method::DELETE, &path_of(&webhook), &json!({}))
        .await;
    println!("deleted after {:?} without the frozen process", started.elapsed());
    let calls = receiver.received().len();
    frozen.thaw();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(
        receiver.received().len(),
        calls,
        "the process sent after waking up"
    );
    publishers.stop().await;
    // The process rejoins the cluster.
    awake.api().add_webhook(&other.url("/")).await;
    publish(&frozen.api(), "after").await;
    other.wait_for(1).await;
}

#[tokio::test]
async fn peers_deliver_for_killed_process_after_lease() {
    let (_, mut programs) = processes(3).await;
    let receiver = Receiver::start().await;
    receiver.reply_always(Reply::Delayed(Duration::from_millis(30), 200));
    programs[0].api().add_webhook(&receiver.url("/")).await;
    let publishers = Publishers::start(12, apis(&programs));
    let mut random = Random::new();
    for _ in 0..2 {
        tokio::time::sleep(random.millis(300..700)).await;
        programs.pop().unwrap().kill();
        publishers.publish_to(apis(&programs));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let accepted = publishers.stop().await;
    assert!(
        accepted.len() > 100,
        "only {} events were published",
        accepted.len()
    );
    // The delivery timeout plus thirty seconds.
    let lease = Duration::from_secs(32);
    wait_until_all_arrived(
        &receiver,
        &accepted,
        &programs[0].api(),
        lease + Duration::from_secs(5),
    )
    .await;
}
