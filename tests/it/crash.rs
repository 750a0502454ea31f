//! Accepted events arrive even if the process is killed or its disk fails.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use reqwest::{StatusCode, header};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::support::{
    app::eventually,
    program::{Api, Program},
    publishers::{Publishers, arrivals},
    random::Random,
    receiver::{Latch, Receiver, Reply},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepted_events_survive_repeated_kills() {
    const ROUNDS: usize = 8;
    let receiver = Receiver::start().await;
    let mut program = Program::start(&[("CALEIDA_RETRY_SCHEDULE", "100ms,100ms")]).await;
    program.api().add_webhook(&receiver.url("/")).await;
    let publishers = Publishers::start(8, Vec::new());
    let mut random = Random::new();
    for _ in 0..ROUNDS {
        publishers.publish_to(vec![program.api()]);
        tokio::time::sleep(random.millis(100..500)).await;
        program.kill();
        program.restart(&[]).await;
    }
    publishers.publish_to(vec![program.api()]);
    let accepted = publishers.stop().await;
    assert!(
        accepted.len() > ROUNDS,
        "only {} events were published",
        accepted.len()
    );

    let (api, expected) = (program.api(), &accepted);
    let complete = eventually(|| async {
        let arrived = arrivals(&receiver);
        let complete = expected.iter().all(|id| arrived.contains_key(id));
        (complete && api.deliveries("pending").await.is_empty()).then_some(arrived)
    });
    let arrived = complete.await.unwrap_or_else(|| {
        let arrived = arrivals(&receiver);
        let lost: Vec<_> = accepted.iter().filter(|id| !arrived.contains_key(*id)).collect();
        panic!("lost: {lost:?}\n{}", program.log())
    });
    assert!(api.deliveries("failed").await.is_empty());
    // Attempts that were sent but not recorded before a kill are repeated with the same ID.
    let twice = arrived.values().filter(|&&count| count > 1).count();
    println!(
        "{} accepted, {twice} of them arrived more than once in {ROUNDS} kills",
        accepted.len()
    );
    let max_in_flight = 512;
    assert!(twice <= ROUNDS * max_in_flight);
}

#[tokio::test]
async fn kill_between_steps_loses_no_accepted_event() {
    for (point, stored, calls) in [
        ("before-storing", false, 0),
        ("after-storing", true, 1),
        ("before-sending", true, 1),
        // The receiver got the call, but it was not recorded.
        ("after-sending", true, 2),
        ("after-recording", true, 1),
    ] {
        let receiver = Receiver::start().await;
        let mut program = Program::start(&[]).await;
        program.api().add_webhook(&receiver.url("/")).await;
        program.kill();

        program.restart(&[("CALEIDA_KILL_AT", point)]).await;
        let response = program.api().publish("the-event").await;
        assert!(stored || response.is_err(), "{point}: accepted without storing");
        program.wait_until_exited().await;

        program.restart(&[]).await;
        let api = program.api();
        let delivered = eventually(|| async { (api.deliveries("pending").await.is_empty()).then_some(()) });
        delivered.await.unwrap_or_else(|| panic!("{point}: never sent"));
        let delivered = api.deliveries("delivered").await;
        assert_eq!(delivered.len(), usize::from(stored), "{point}");
        assert_eq!(
            arrivals(&receiver).get("the-event").copied().unwrap_or_default(),
            calls,
            "{point}"
        );
        // A retry of the publisher creates no second event.
        assert!(api.publish("the-event").await.unwrap().status().is_success());
        let once = eventually(|| async { (api.deliveries("delivered").await.len() == 1).then_some(()) });
        once.await
            .unwrap_or_else(|| panic!("{point}: not delivered exactly once"));
    }
}

#[tokio::test]
async fn interrupted_attempts_are_retried_at_once_and_not_counted() {
    const KILLS: usize = 3;
    let receiver = Receiver::start().await;
    // Without retries, the delivery would fail if interrupted attempts counted.
    let mut program = Program::start(&[("CALEIDA_RETRY_SCHEDULE", "off")]).await;
    program.api().add_webhook(&receiver.url("/")).await;
    (0..KILLS).for_each(|_| receiver.reply(Reply::Never));
    program.api().publish("the-event").await.unwrap();
    for calls in 1..=KILLS {
        receiver.wait_for(calls).await;
        program.kill();
        let restarted = Instant::now();
        program.restart(&[]).await;
        receiver.wait_for(calls + 1).await;
        // The lease of the killed process lasts more than thirty seconds.
        let waited = restarted.elapsed();
        println!("sent again {waited:?} after the restart");
        assert!(waited < Duration::from_secs(10));
    }
    let api = program.api();
    let delivered = eventually(|| async { api.deliveries("delivered").await.pop() });
    assert_eq!(delivered.await.expect("the event is delivered")["attempts"], 1);
}

/// Limits the size of the process's files. Larger writes fail like a full disk.
fn limit_files(program: &Program, bytes: Option<u64>) {
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    let pid = Pid::from_raw(program.pid().try_into().unwrap());
    prlimit(pid, Resource::Fsize, limit).unwrap();
}

/// Publishes until an event is rejected, and asserts that the response says when to retry and reveals no SQL.
async fn publish_until_rejected(api: &Api, accepted: &mut BTreeSet<String>) {
    for number in 0..5_000 {
        let id = format!("event-{number}");
        let response = api.publish(&id).await.unwrap();
        if response.status().is_success() {
            accepted.insert(id);
            continue;
        }
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key(header::RETRY_AFTER));
        assert!(!response.text().await.unwrap().to_lowercase().contains("sql"));
        return;
    }
    panic!("no event was rejected");
}

/// Asserts that the server accepts events again and delivers all accepted events.
async fn assert_recovers(program: &Program, receiver: &Receiver, mut accepted: BTreeSet<String>) {
    let api = program.api();
    let published = eventually(|| async {
        let response = api.publish("afterwards").await.unwrap();
        response.status().is_success().then_some(())
    });
    published.await.expect("the server accepts events again");
    accepted.insert("afterwards".to_owned());
    let complete = eventually(|| async {
        let arrived = arrivals(receiver);
        let complete = accepted.iter().all(|id| arrived.contains_key(id));
        (complete && api.deliveries("pending").await.is_empty()).then_some(())
    });
    complete
        .await
        .unwrap_or_else(|| panic!("events were lost:\n{}", program.log()));
}

#[tokio::test]
async fn full_disk_rejects_events_loses_none_and_recovers() {
    let receiver = Receiver::start().await;
    let program = Program::start(&[]).await;
    program.api().add_webhook(&receiver.url("/")).await;
    let mut accepted = BTreeSet::new();
    limit_files(&program, Some(1_500_000));
    publish_until_rejected(&program.api(), &mut accepted).await;
    limit_files(&program, None);
    assert_recovers(&program, &receiver, accepted).await;
}

/// A library that makes every file write fail as on a read-only disk while the file `read-only` exists. A file system
/// cannot be remounted read-only while files are open for writing.
const READ_ONLY: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/types.h>
#include <unistd.h>

ssize_t pwrite64(int file, const void *bytes, size_t count, off_t at) {
    static ssize_t (*write_at)(int, const void *, size_t, off_t);
    if (!write_at) write_at = dlsym(RTLD_NEXT, "pwrite64");
    if (access("read-only", F_OK) == 0) { errno = EROFS; return -1; }
    return write_at(file, bytes, count, at);
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) { return pwrite64(file, bytes, count, at); }
"#;

#[tokio::test]
async fn read_only_disk_rejects_events_loses_none_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let (source, library) = (folder.path().join("disk.c"), folder.path().join("disk.so"));
    std::fs::write(&source, READ_ONLY).unwrap();
    let compiled = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status()
        .unwrap();
    assert!(compiled.success());

    let receiver = Receiver::start().await;
    let program = Program::start(&[("LD_PRELOAD", library.to_str().unwrap())]).await;
    program.api().add_webhook(&receiver.url("/")).await;
    // One attempt is in flight when the disk becomes read-only. It is recorded once the disk is writable again.
    let under_way = Latch::closed();
    receiver.reply(Reply::Hold(under_way.clone(), 200));
    let mut accepted = BTreeSet::from(["under-way".to_owned()]);
    assert!(
        program
            .api()
            .publish("under-way")
            .await
            .unwrap()
            .status()
            .is_success()
    );
    receiver.wait_for(1).await;

    std::fs::write(program.folder().join("read-only"), "").unwrap();
    publish_until_rejected(&program.api(), &mut accepted).await;
    assert_eq!(accepted.len(), 1);
    under_way.open();
    // Reads still work.
    assert_eq!(program.api().deliveries("pending").await.len(), 1);
    std::fs::remove_file(program.folder().join("read-only")).unwrap();
    assert_recovers(&program, &receiver, accepted).await;
    assert_eq!(
        arrivals(&receiver)["under-way"],
        1,
        "the attempt was recorded, not repeated"
    );
}
