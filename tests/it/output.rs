//! Output of commands that cannot be written: to a closed pipe, and to a full disk.

use std::{
    fs::File,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use caleida::delivery::sender::plain_client;
use tempfile::TempDir;

use crate::support::app::eventually;

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caleida"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Returns the end of a pipe that no process reads.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn full_disk() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

fn run(folder: &Path, arguments: &[&str], stdout: Stdio) -> (Output, String) {
    let output = command(folder, arguments).stdout(stdout).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, errors)
}

/// A folder with a database that has an API key and a user.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (output, errors) = run(folder.path(), &["migrate"], Stdio::null());
    assert!(output.status.success(), "{errors}");
    let create = ["api-key", "create", "--name", "first"];
    let (output, errors) = run(folder.path(), &create, Stdio::null());
    assert!(output.status.success(), "{errors}");
    folder
}

const COMMANDS: [&[&str]; 10] = [
    &["--help"],
    &["--version"],
    &["help", "serve"],
    &["openapi"],
    &["migrate"],
    &["api-key", "list"],
    &["user", "list"],
    &[
        "user",
        "invite",
        "--email",
        "ada@example.com",
        "--role",
        "viewer",
        // Without it, the command warns that the link works only on this machine.
        "--public-url",
        "https://hooks.example.com",
    ],
    &["api-key", "create", "--name", "second"],
    &[
        "copy",
        "--from",
        "sqlite://data/caleida.db",
        "--to",
        "sqlite://data/copy.db",
    ],
];

#[test]
fn commands_end_quietly_if_nothing_reads_their_output() {
    let folder = folder();
    for arguments in COMMANDS {
        let (output, errors) = run(folder.path(), arguments, closed_pipe());
        assert_eq!((output.status.code(), &*errors), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn commands_fail_with_a_reason_if_the_disk_is_full() {
    let folder = folder();
    for arguments in COMMANDS {
        let (output, errors) = run(folder.path(), arguments, full_disk());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {errors}");
        assert!(
            errors.starts_with("caleida: cannot write to stdout: No space left on device"),
            "{arguments:?}: {errors}"
        );
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}

#[test]
fn exit_code_does_not_depend_on_stderr() {
    let folder = folder();
    for stderr in [closed_pipe as fn() -> Stdio, full_disk] {
        for (arguments, code) in [
            (&["serve", "--no-such-flag"][..], 2),
            (&["user", "enable", "--email", "unknown@example.com"][..], 1),
        ] {
            let output = command(folder.path(), arguments)
                .stderr(stderr())
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        }
    }
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn server_runs_even_if_nothing_reads_its_output() {
    for (stdout, stderr) in [(closed_pipe(), closed_pipe()), (full_disk(), full_disk())] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("site/pkg")).unwrap();
        std::fs::write(folder.path().join("site/pkg/caleida.css"), "").unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let listen = format!("127.0.0.1:{port}");
        let child = command(
            folder.path(),
            &["serve", "--metrics-listen", "off", "--listen", &listen],
        )
        .env("LEPTOS_SITE_ROOT", "site")
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
        .unwrap();
        let mut server = Server(child);
        let client = plain_client().unwrap();
        let ready = eventually(|| async {
            let response = client.get(format!("http://{listen}/readyz")).send().await;
            response.ok().filter(|response| response.status().is_success())
        });
        assert!(ready.await.is_some(), "the server did not start");
        // Both the greeting and the log have been written by now.
        assert_eq!(server.0.try_wait().unwrap(), None);
    }
}
