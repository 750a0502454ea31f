//! The file of an SQLite database: complete after a stop, served by one process, created only on purpose.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use rustix::process::Signal;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tokio::net::TcpListener;

use crate::support::{
    app::{Options, TestApp, eventually_within},
    postgres::{self, Server},
    program::Program,
    receiver::{Receiver, Reply},
};

/// Copies only the database file, as people do, and returns the number of events in the copy.
async fn events_in_a_copy(file: &Path) -> i64 {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    fs::copy(file, &copy).unwrap();
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", copy.display()))
        .await
        .unwrap();
    sqlx::query_scalar("select count(*) from events")
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn file_is_complete_after_a_stop() {
    let receiver = Receiver::start().await;
    // Attempts are in progress, and retries are pending.
    let mut program = Program::start(&[
        ("CALEIDA_SHUTDOWN_GRACE", "100ms"),
        ("CALEIDA_RETRY_SCHEDULE", "1h"),
    ])
    .await;
    let file = program.folder().join("data/caleida.db");
    program.api().add_webhook(&receiver.url("/")).await;
    receiver.reply(Reply::Never);
    receiver.reply(Reply::Status(500));
    for number in 0..50 {
        let published = program.api().publish(&format!("event-{number}")).await.unwrap();
        assert_eq!(published.status(), StatusCode::ACCEPTED);
    }
    assert!(program.stop().await.success(), "{}", program.log());
    assert_eq!(events_in_a_copy(&file).await, 50);
    for suffix in ["-wal", "-shm"] {
        assert!(!program.folder().join(format!("data/caleida.db{suffix}")).exists());
    }

    // Also while another process has the file open.
    program.restart(&[]).await;
    program.api().publish("another").await.unwrap();
    let mut other = SqliteConnection::connect(&format!("sqlite://{}", file.display()))
        .await
        .unwrap();
    sqlx::query("select * from events")
        .fetch_all(&mut other)
        .await
        .unwrap();
    assert!(program.stop().await.success(), "{}", program.log());
    assert_eq!(events_in_a_copy(&file).await, 51);
    assert!(!program.log().contains("failed to close"), "{}", program.log());
}

/// Runs the commands of the guide.
#[tokio::test]
async fn backup_is_restored_as_documented() {
    let guide = include_str!("../../docs/operations.md");
    let (_, section) = guide.split_once("\n## Backup and restore\n").unwrap();
    let restore = section.split("```").nth(1).unwrap().strip_prefix("sh\n").unwrap();
    assert!(restore.contains("cp copy.db"), "{restore}");

    let mut program = Program::start(&[]).await;
    let data = program.folder().join("data");
    let publish = async |program: &Program, from: usize, to: usize| {
        for number in from..to {
            let published = program.api().publish(&format!("event-{number}")).await.unwrap();
            assert_eq!(published.status(), StatusCode::ACCEPTED);
        }
    };
    publish(&program, 0, 20).await;
    assert!(program.stop().await.success());
    fs::copy(data.join("caleida.db"), program.folder().join("copy.db")).unwrap();

    // The server continues and crashes, so the log of the old file stays behind.
    program.restart(&[]).await;
    publish(&program, 20, 200).await;
    program.kill();
    assert!(fs::metadata(data.join("caleida.db-wal")).unwrap().len() > 0);
    let restored = Command::new("bash")
        .args(["-e", "-c", restore])
        .current_dir(program.folder())
        .output()
        .unwrap();
    assert!(restored.status.success(), "{}", stderr(&restored));

    program.restart(&[]).await;
    publish(&program, 20, 25).await;
    assert!(program.stop().await.success());
    assert_eq!(events_in_a_copy(&data.join("caleida.db")).await, 25);
    let mut connection =
        SqliteConnection::connect(&format!("sqlite://{}", data.join("caleida.db").display()))
            .await
            .unwrap();
    let check: String = sqlx::query_scalar("pragma integrity_check")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(check, "ok");
}

#[tokio::test]
async fn file_is_complete_after_a_command_and_a_failed_start() {
    let mut program = Program::start(&[]).await;
    program.stop().await;
    let leftovers = |folder: &str| {
        let files = fs::read_dir(program.folder().join(folder)).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut left: Vec<_> = names
            .filter(|name| name.contains("-wal") || name.contains("-shm"))
            .collect();
        left.sort();
        left
    };
    program.run(&["migrate", "--database-url", "sqlite://new/caleida.db"]);
    assert_eq!(leftovers("new"), [""; 0]);
    assert_eq!(
        events_in_a_copy(&program.folder().join("new/caleida.db")).await,
        0
    );

    let password = "correct horse battery staple";
    let add = [
        "user",
        "add",
        "--email",
        "ada@example.com",
        "--role",
        "member",
        "--password-stdin",
    ];
    program.run_with(&add, password);
    assert!(!program.output_with(&add, password).status.success());
    program.run(&[
        "copy",
        "--from",
        "sqlite://data/caleida.db",
        "--to",
        "sqlite://new/copy.db",
    ]);
    for folder in ["data", "new"] {
        assert_eq!(leftovers(folder), [""; 0], "{folder}");
    }

    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = program.output(&["serve", "--listen", &address]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(leftovers("data"), [""; 0]);
}

#[tokio::test]
async fn server_stops_without_its_database() {
    // The files are deleted.
    let mut program = Program::start(&[("CALEIDA_SHUTDOWN_GRACE", "1s")]).await;
    program.api().publish("event").await.unwrap();
    fs::remove_dir_all(program.folder().join("data")).unwrap();
    assert!(program.stop().await.success(), "{}", program.log());

    // The server is down.
    let mut server = Server::start().await;
    let database = server.create_database().await;
    let settings = [("DATABASE_URL", &*database), ("CALEIDA_SHUTDOWN_GRACE", "1s")];
    let mut program = Program::start(&settings).await;
    server.command("kill");
    let stopping = Instant::now();
    assert!(program.stop().await.success(), "{}", program.log());
    println!("stopped {:?} after the database", stopping.elapsed());
}

#[tokio::test]
async fn file_is_served_by_one_process() {
    let mut program = Program::start(&[]).await;
    let file = program.folder().join("data/caleida.db");
    let folder = tempfile::tempdir().unwrap();
    let (link, linked_folder) = (folder.path().join("other.db"), folder.path().join("data"));
    symlink(&file, &link).unwrap();
    symlink(program.folder().join("data"), &linked_folder).unwrap();
    let path = fs::canonicalize(&file).unwrap();
    for name in [
        "data/caleida.db",
        "./data/../data/caleida.db",
        file.to_str().unwrap(),
        link.to_str().unwrap(),
        linked_folder.join("caleida.db").to_str().unwrap(),
    ] {
        let url = format!("sqlite://{name}");
        let refused = program.output(&["serve", "--database-url", &url]);
        assert_eq!(refused.status.code(), Some(2), "{name}: {}", stderr(&refused));
        let text = stderr(&refused);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            text.contains(path.to_str().unwrap()) && text.contains("stop it first"),
            "{text}"
        );
    }
    // Commands run beside the server, which goes on.
    program.run(&["user", "list"]);
    program.run(&["api-key", "list"]);
    program.run(&["migrate"]);
    let published = program.api().publish("event").await.unwrap();
    assert_eq!(published.status(), StatusCode::ACCEPTED);
    // Copying into it would not.
    let refused = program.output(&[
        "copy",
        "--from",
        "sqlite://data/caleida.db",
        "--to",
        &format!("sqlite://{}", link.display()),
    ]);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));

    // Another file is another database.
    let mut other = Program::start(&[]).await;
    assert!(other.stop().await.success());
    // A killed process leaves no lock behind, and neither does a stopped one.
    program.kill();
    program.restart(&[]).await;
    assert!(program.stop().await.success());
    program.restart(&[]).await;
}

#[tokio::test]
async fn only_serve_migrate_and_copy_create_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = fs::canonicalize(folder.path()).unwrap().join("data/caleida.db");
    let run_on = |database: Option<&str>, arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_caleida"))
            .args(arguments)
            .current_dir(folder.path())
            .env_clear()
            .envs(database.map(|url| ("DATABASE_URL", url)))
            .output()
            .unwrap()
    };
    let run = |arguments: &[&str]| run_on(None, arguments);
    let commands: [&[&str]; 10] = [
        &["user", "list"],
        &[
            "user",
            "add",
            "--email",
            "ada@example.com",
            "--role",
            "admin",
            "--password-stdin",
        ],
        &[
            "user",
            "set-password",
            "--email",
            "ada@example.com",
            "--password-stdin",
        ],
        &[
            "user",
            "set-role",
            "--email",
            "ada@example.com",
            "--role",
            "admin",
        ],
        &["user", "invite", "--email", "ada@example.com", "--role", "admin"],
        &["user", "disable", "--email", "ada@example.com"],
        &["api-key", "create", "--name", "key"],
        &["api-key", "revoke", "--prefix", "abc"],
        &["rotate-master-key", "--new-key-file", "new.key"],
        &[
            "copy",
            "--from",
            "sqlite://data/caleida.db",
            "--to",
            "sqlite://target.db",
        ],
    ];
    let assert_refused = |arguments: &[&str]| {
        let refused = run(arguments);
        let text = stderr(&refused);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {text}");
        let expected = format!("there is no database at {}: set DATABASE_URL", path.display());
        assert!(
            text.contains(&expected) && text.lines().count() == 1,
            "{arguments:?}: {text}"
        );
        assert!(refused.stdout.is_empty());
    };
    for arguments in commands {
        assert_refused(arguments);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "{arguments:?}");
    }
    // An empty file is no database either.
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(&path, "").unwrap();
    for arguments in commands {
        assert_refused(arguments);
        assert_eq!(fs::metadata(&path).unwrap().len(), 0, "{arguments:?}");
    }

    let empty = postgres::create_database().await;
    for arguments in &commands[..3] {
        let refused = run_on(Some(&empty), arguments);
        let text = stderr(&refused);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains("no tables"), "{text}");
    }

    assert!(run(&["migrate"]).status.success());
    assert!(run(&["user", "list"]).status.success());
}

/// A library that hides the folders in which SQLite looks for a place for temporary files, as in a container with a
/// read-only root: they exist, but cannot be written.
const READ_ONLY_ROOT: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

int access(const char *path, int mode) {
    static int (*real)(const char *, int);
    if (!real) real = dlsym(RTLD_NEXT, "access");
    static const char *read_only[] = {"/tmp", "/var/tmp", "/usr/tmp", "."};
    for (int i = 0; i < 4; i++)
        if ((mode & W_OK) && strcmp(path, read_only[i]) == 0) { errno = EROFS; return -1; }
    return real(path, mode);
}
"#;

#[tokio::test]
async fn works_without_a_folder_for_temporary_files() {
    let folder = tempfile::tempdir().unwrap();
    let (source, library) = (folder.path().join("root.c"), folder.path().join("root.so"));
    fs::write(&source, READ_ONLY_ROOT).unwrap();
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status()
        .unwrap();
    assert!(compiled.success());
    let receiver = Receiver::start().await;
    let program = Program::start(&[("LD_PRELOAD", library.to_str().unwrap())]).await;
    let api = program.api();
    let webhook = api.add_webhook(&receiver.url("/")).await;
    let path = format!("webhooks/{}", webhook["id"].as_str().unwrap());
    let change = async |method, path: &str, body| api.change(method, path, &body).await;
    change(Method::POST, &format!("{path}/pause"), json!({})).await;
    for batch in 0..20 {
        let event = |index| {
            let data = json!({ "text": "x".repeat(2_000) });
            json!({ "type": "chat", "id": format!("{batch}-{index}"), "data": data })
        };
        let events: Vec<_> = (0..200).map(event).collect();
        change(Method::POST, "events/batch", json!({ "events": events })).await;
    }
    for number in 0..100 {
        let published = api.publish(&format!("single-{number}")).await.unwrap();
        assert_eq!(published.status(), StatusCode::ACCEPTED, "{number}");
    }
    // Changes of thousands of rows by one statement.
    change(Method::POST, &format!("{path}/resume"), json!({})).await;
    let recover = json!({ "scope": "failed", "since": "2026-01-01T00:00:00Z" });
    change(Method::POST, &format!("{path}/recover"), recover).await;
    change(Method::POST, &format!("{path}/pause"), json!({})).await;
    change(Method::DELETE, &path, json!({})).await;
    assert_eq!(api.status("/readyz").await, StatusCode::OK);
    let log = program.log();
    assert!(!log.contains("disk I/O error"), "{log}");
}

/// What is written to a file without a name is lost when it is closed.
#[tokio::test]
async fn events_are_refused_after_the_file_was_deleted_or_replaced() {
    for files in [
        &["caleida.db"][..],
        &["caleida.db-wal"],
        &["caleida.db", "caleida.db-wal", "caleida.db-shm"],
    ] {
        for replaced in [false, true] {
            let program = Program::start(&[]).await;
            program.api().publish("before").await.unwrap();
            for file in files {
                let path = program.folder().join("data").join(file);
                let content = fs::read(&path).unwrap();
                fs::remove_file(&path).unwrap();
                if replaced {
                    // Not the same number: that may be used again.
                    fs::write(program.folder().join("other"), "").unwrap();
                    fs::write(&path, content).unwrap();
                }
            }
            let response = program.api().publish("after").await.unwrap();
            let status = response.status();
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{files:?} {replaced}");
            let ready = program.api().status("/readyz").await;
            assert_eq!(ready, StatusCode::SERVICE_UNAVAILABLE, "{files:?} {replaced}");
            program
                .wait_for_log("was deleted or replaced while it is in use")
                .await;
        }
    }
}

#[tokio::test]
async fn hangup_stops_like_a_termination() {
    for signal in [Signal::HUP, Signal::INT, Signal::TERM] {
        let mut program = Program::start(&[]).await;
        program.api().publish("event").await.unwrap();
        program.signal(signal);
        let status = program.wait_until_exited().await;
        assert!(status.success(), "{signal:?}: {status}");
        let file = program.folder().join("data/caleida.db");
        assert_eq!(events_in_a_copy(&file).await, 1, "{signal:?}");
    }
}

/// The receiver never responds, so the first signal would wait for the grace period.
#[tokio::test]
async fn second_signal_stops_at_once() {
    let receiver = Receiver::start().await;
    receiver.reply_always(Reply::Never);
    for second in [Signal::HUP, Signal::INT, Signal::TERM] {
        let mut program = Program::start(&[("CALEIDA_SHUTDOWN_GRACE", "10m")]).await;
        program.api().add_webhook(&receiver.url("/")).await;
        let received = receiver.received().len();
        program.api().publish("event").await.unwrap();
        receiver.wait_for(received + 1).await;
        program.signal(Signal::TERM);
        program.wait_for_log("shutting down").await;
        program.signal(second);
        let status = program.wait_until_exited().await;
        assert_eq!(status.code(), Some(1), "{second:?}");
        // Nothing is lost.
        program.restart(&[]).await;
        receiver.wait_for(received + 2).await;
        program.kill();
    }
}

#[tokio::test]
async fn file_shrinks_after_retention() {
    let arguments = vec!["--retention=1s".to_owned()];
    let app = TestApp::start_with(Options {
        arguments,
        ..Options::default()
    })
    .await;
    for batch in 0..10 {
        let event = |index| {
            let data = json!({ "text": "x".repeat(8_000) });
            json!({ "type": "chat", "id": format!("{batch}-{index}"), "data": data })
        };
        let events: Vec<_> = (0..200).map(event).collect();
        app.post(
            "/api/v1/events/batch",
            json!({ "events": events }),
            StatusCode::ACCEPTED,
        )
        .await;
    }
    let size = || fs::metadata(app.data().join("caleida.db")).unwrap().len();
    let shrunk = eventually_within(Duration::from_secs(90), || async {
        let events = app.get("/api/v1/events").await;
        (events["events"].as_array().unwrap().is_empty() && size() < 3_000_000).then_some(())
    });
    assert!(shrunk.await.is_some(), "{} bytes", size());
}
