//! Runs the commands of the README's quick start.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::support::free_port;

const README: &str = include_str!("../../README.md");

/// A working directory with the processes started there.
struct Workspace {
    folder: tempfile::TempDir,
    /// Ports used instead of 3000 and 4040, which may be taken.
    dashboard: u16,
    receiver: u16,
    running: Vec<Child>,
}

impl Workspace {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            dashboard: free_port(),
            receiver: free_port(),
            running: Vec::new(),
        }
    }

    fn bash(&self, script: &str, output: &str) -> Command {
        let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/site");
        let output = File::create(self.folder.path().join(output)).unwrap();
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", script])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("LEPTOS_SITE_ROOT", site)
            .env("CALEIDA_LISTEN", format!("127.0.0.1:{}", self.dashboard))
            .env("CALEIDA_METRICS_LISTEN", "127.0.0.1:0")
            .env(
                "CALEIDA_PUBLIC_URL",
                format!("http://127.0.0.1:{}", self.dashboard),
            )
            // Same as `make run`.
            .env("CALEIDA_ALLOW_HTTP", "true")
            .env("CALEIDA_ALLOW_NETWORKS", "127.0.0.0/8,::1/128")
            .stdin(Stdio::null())
            .stderr(output.try_clone().unwrap())
            .stdout(output);
        bash
    }

    /// Starts a command that runs until the end of the test.
    fn start(&mut self, script: &str, output: &str) {
        let child = self.bash(&format!("exec {script}"), output).spawn().unwrap();
        self.running.push(child);
    }

    /// Returns the README's commands for this terminal, with our ports.
    fn readme(&self, terminal: &str) -> String {
        let (_, after) = README
            .split_once(&format!("<!-- terminal: {terminal} -->\n```sh\n"))
            .unwrap();
        let (commands, _) = after.split_once("```").unwrap();
        commands
            .replace("target/release/caleida", env!("CARGO_BIN_EXE_caleida"))
            .replace("3000", &self.dashboard.to_string())
            .replace("4040", &self.receiver.to_string())
    }

    fn printed(&self, output: &str) -> String {
        fs::read_to_string(self.folder.path().join(output)).unwrap()
    }

    async fn wait_until_printed(&self, output: &str, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.printed(output).contains(text) {
            let printed = self.printed(output);
            assert!(
                Instant::now() < deadline,
                "{output} never printed {text:?}:\n{printed}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        for child in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[tokio::test]
async fn readme_commands_deliver_an_event() {
    let mut workspace = Workspace::new();
    workspace.start(concat!(env!("CARGO_BIN_EXE_caleida"), " serve"), "dashboard");
    workspace
        .wait_until_printed("dashboard", "One-time password")
        .await;
    workspace.start(workspace.readme("receiver").trim(), "receiver");
    workspace
        .wait_until_printed("receiver", &workspace.receiver.to_string())
        .await;

    let publishes = workspace
        .bash(&workspace.readme("publisher"), "publisher")
        .status()
        .unwrap();
    assert!(publishes.success(), "{}", workspace.printed("publisher"));
    workspace.wait_until_printed("receiver", "signature ok").await;
    assert!(
        workspace.printed("publisher").contains("1 delivery"),
        "{}",
        workspace.printed("publisher")
    );
    assert!(workspace.folder.path().join("data/caleida.db").is_file());
}
