//! Servers of other projects that run beside the tests.

use std::{
    net::Ipv4Addr,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

use tokio::net::TcpStream;

use super::app::eventually;

/// Runs the command until standard input is closed, so it also ends if the tests are killed.
const GUARDIAN: &str = r#"
PATH=$PATH:/usr/sbin
"$@" </dev/null >/dev/null 2>error.log &
server=$!
read -r _
kill $server
wait $server
"#;

/// A running server.
pub struct Guarded {
    stdin: Option<ChildStdin>,
    guardian: Child,
}

impl Guarded {
    /// Starts a server in this folder and waits until it accepts connections on `port`. Its errors are in `error.log`.
    pub async fn start(command: &[&str], folder: &Path, port: u16) -> Self {
        let mut guardian = Command::new("bash")
            .args(["-c", GUARDIAN, "guardian"])
            .args(command)
            .current_dir(folder)
            // Where Caddy keeps its state.
            .env("XDG_CONFIG_HOME", folder)
            .env("XDG_DATA_HOME", folder)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let guarded = Self {
            stdin: guardian.stdin.take(),
            guardian,
        };
        let started = eventually(|| async {
            let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
            connection.is_ok().then_some(())
        });
        if started.await.is_none() {
            let errors = std::fs::read_to_string(folder.join("error.log"));
            panic!("{} did not start: {errors:?}", command[0]);
        }
        guarded
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.guardian.wait();
    }
}
