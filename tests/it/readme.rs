//! What the README tells newcomers to type, typed: the released program's own commands in two terminals.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const README: &str = include_str!("../../README.md");

/// A folder to be in, and what a newcomer's machine has running there.
struct Machine {
    folder: tempfile::TempDir,
    /// Where the dashboard and the receiver listen, instead of on 3000 and 4040: those may be taken here.
    dashboard: u16,
    receiver: u16,
    running: Vec<Child>,
}

impl Machine {
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
            // As `make run` does.
            .env("CALEIDA_ALLOW_HTTP", "true")
            .env("CALEIDA_ALLOW_NETWORKS", "127.0.0.0/8,::1/128")
            .stdin(Stdio::null())
            .stderr(output.try_clone().unwrap())
            .stdout(output);
        bash
    }

    /// Leaves it running until the end of the test.
    fn start(&mut self, script: &str, output: &str) {
        let child = self.bash(&format!("exec {script}"), output).spawn().unwrap();
        self.running.push(child);
    }

    /// The README's commands for this terminal, on this machine's ports.
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
        let patience = Instant::now() + Duration::from_secs(30);
        while !self.printed(output).contains(text) {
            let printed = self.printed(output);
            assert!(
                Instant::now() < patience,
                "{output} never printed {text:?}:\n{printed}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for child in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn the_two_terminals_of_the_readme_deliver_an_event() {
    let mut machine = Machine::new();
    machine.start(concat!(env!("CARGO_BIN_EXE_caleida"), " serve"), "dashboard");
    machine.wait_until_printed("dashboard", "One-time password").await;
    machine.start(machine.readme("receiver").trim(), "receiver");
    machine
        .wait_until_printed("receiver", &machine.receiver.to_string())
        .await;

    let publishes = machine
        .bash(&machine.readme("publisher"), "publisher")
        .status()
        .unwrap();
    assert!(publishes.success(), "{}", machine.printed("publisher"));
    machine.wait_until_printed("receiver", "signature ok").await;
    assert!(
        machine.printed("publisher").contains("1 delivery"),
        "{}",
        machine.printed("publisher")
    );
    assert!(machine.folder.path().join("data/caleida.db").is_file());
}
