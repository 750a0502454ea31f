//! What was accepted arrives, whatever happens to the process or to its disk.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

use reqwest::{StatusCode, header};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::support::{
    app::eventually,
    program::{Api, Program},
    publishers::{Publishers, arrivals},
    receiver::{Answer, Gate, Receiver},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_accepted_is_lost_however_often_the_process_is_killed() {
    const ROUNDS: usize = 8;
    let receiver = Receiver::start().await;
    let mut program = Program::start(&[("CALEIDA_RETRY_SCHEDULE", "100ms,100ms")]).await;
    program.api().add_webhook(&receiver.url("/")).await;
    let publishers = Publishers::start(8, Vec::new());
    for round in 0..ROUNDS {
        publishers.publish_to(vec![program.api()]);
        let moment = 100 + RandomState::new().hash_one(round) % 400;
        tokio::time::sleep(Duration::from_millis(moment)).await;
        program.kill();
        program.restart(&[]).await;
    }
    publishers.publish_to(vec![program.api()]);
    let accepted = publishers.stop().await;
    assert!(accepted.len() > ROUNDS, "only {} were published", accepted.len());

    let (api, wanted) = (program.api(), &accepted);
    let all_there = eventually(|| async {
        let arrived = arrivals(&receiver);
        let complete = wanted.iter().all(|id| arrived.contains_key(id));
        (complete && api.deliveries("pending").await.is_empty()).then_some(arrived)
    });
    let arrived = all_there.await.unwrap_or_else(|| {
        let arrived = arrivals(&receiver);
        let lost: Vec<_> = accepted.iter().filter(|id| !arrived.contains_key(*id)).collect();
        panic!("lost: {lost:?}\n{}", program.log())
    });
    assert!(api.deliveries("failed").await.is_empty());
    // Those that had been sent, but not recorded when the process died. They carry the same id, so a receiver can tell.
    let twice = arrived.values().filter(|&&count| count > 1).count();
    println!(
        "{} accepted, {twice} of them came more than once in {ROUNDS} kills",
        accepted.len()
    );
    let under_way_at_most = 512;
    assert!(twice <= ROUNDS * under_way_at_most);
}

#[tokio::test]
async fn each_window_between_two_steps_ends_as_it_must() {
    for (point, stored, calls) in [
        ("before-storing", false, 0),
        ("after-storing", true, 1),
        ("before-sending", true, 1),
        // The receiver had it, but nobody could write that down.
        ("after-sending", true, 2),
        ("after-recording", true, 1),
    ] {
        let receiver = Receiver::start().await;
        let mut program = Program::start(&[]).await;
        program.api().add_webhook(&receiver.url("/")).await;
        program.kill();

        program.restart(&[("CALEIDA_KILL_AT", point)]).await;
        let answer = program.api().publish("the-event").await;
        assert!(stored || answer.is_err(), "{point}: accepted what was not stored");
        program.ended().await;

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
        // A publisher without an answer repeats: that makes no second event.
        assert!(api.publish("the-event").await.unwrap().status().is_success());
        let once = eventually(|| async { (api.deliveries("delivered").await.len() == 1).then_some(()) });
        once.await.unwrap_or_else(|| panic!("{point}: not once"));
    }
}

#[tokio::test]
async fn interrupted_attempts_are_repeated_at_once_and_not_counted() {
    const KILLS: usize = 3;
    let receiver = Receiver::start().await;
    // Without retries: if an interrupted attempt counted, the delivery would fail.
    let mut program = Program::start(&[("CALEIDA_RETRY_SCHEDULE", "")]).await;
    program.api().add_webhook(&receiver.url("/")).await;
    (0..KILLS).for_each(|_| receiver.answer(Answer::Never));
    program.api().publish("the-event").await.unwrap();
    for calls in 1..=KILLS {
        receiver.wait_for(calls).await;
        program.kill();
        let restarted = Instant::now();
        program.restart(&[]).await;
        receiver.wait_for(calls + 1).await;
        // The lease of the killed process holds for more than thirty seconds.
        let waited = restarted.elapsed();
        println!("sent again {waited:?} after the restart");
        assert!(waited < Duration::from_secs(10));
    }
    let api = program.api();
    let delivered = eventually(|| async { api.deliveries("delivered").await.pop() });
    assert_eq!(delivered.await.expect("it was delivered")["attempts"], 1);
}

/// How large the process's files may get; more is “disk full” to it.
fn limit_files(program: &Program, bytes: Option<u64>) {
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    let pid = Pid::from_raw(program.pid().try_into().unwrap());
    prlimit(pid, Resource::Fsize, limit).unwrap();
}

/// Publishes until it is refused, and checks that the refusal tells when to try again, and nothing else.
async fn publish_until_refused(api: &Api, accepted: &mut BTreeSet<String>) {
    for number in 0..5_000 {
        let id = format!("event-{number}");
        let answer = api.publish(&id).await.unwrap();
        if answer.status().is_success() {
            accepted.insert(id);
            continue;
        }
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers().contains_key(header::RETRY_AFTER));
        assert!(!answer.text().await.unwrap().to_lowercase().contains("sql"));
        return;
    }
    panic!("it was never refused");
}

/// What was accepted before arrives, and new events are taken again, without anybody doing anything.
async fn heals(program: &Program, receiver: &Receiver, mut accepted: BTreeSet<String>) {
    let api = program.api();
    let published = eventually(|| async {
        let answer = api.publish("afterwards").await.unwrap();
        answer.status().is_success().then_some(())
    });
    published.await.expect("it never took events again");
    accepted.insert("afterwards".to_owned());
    let complete = eventually(|| async {
        let arrived = arrivals(receiver);
        let complete = accepted.iter().all(|id| arrived.contains_key(id));
        (complete && api.deliveries("pending").await.is_empty()).then_some(())
    });
    complete
        .await
        .unwrap_or_else(|| panic!("something was lost:\n{}", program.log()));
}

#[tokio::test]
async fn a_full_disk_refuses_new_events_loses_none_and_heals_by_itself() {
    let receiver = Receiver::start().await;
    let program = Program::start(&[]).await;
    program.api().add_webhook(&receiver.url("/")).await;
    let mut accepted = BTreeSet::new();
    limit_files(&program, Some(1_500_000));
    publish_until_refused(&program.api(), &mut accepted).await;
    limit_files(&program, None);
    heals(&program, &receiver, accepted).await;
}

/// A library that makes every write to a file fail as on a read-only disk, for as long as the file `read-only` exists.
/// A real disk cannot be made read-only under a program that has written to it, except by breaking.
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
async fn a_read_only_disk_refuses_new_events_loses_none_and_heals_by_itself() {
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
    // One is under way when the disk goes: it cannot be recorded before the disk is back.
    let under_way = Gate::closed();
    receiver.answer(Answer::Hold(under_way.clone(), 200));
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
    publish_until_refused(&program.api(), &mut accepted).await;
    assert_eq!(accepted.len(), 1);
    under_way.open();
    // Whoever only reads is served.
    assert_eq!(program.api().deliveries("pending").await.len(), 1);
    std::fs::remove_file(program.folder().join("read-only")).unwrap();
    heals(&program, &receiver, accepted).await;
    assert_eq!(
        arrivals(&receiver)["under-way"],
        1,
        "it was recorded, not repeated"
    );
}
