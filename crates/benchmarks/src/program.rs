//! The server under test, as a process with its own data.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use caleida::delivery::sender::plain_client;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    database::{Pool, Source},
    driver::Target,
    machine,
};

/// Password of admin@localhost in every database.
pub const ADMIN_PASSWORD: &str = "the-benchmarks-own-password";

/// A database, and the working directory of the servers that use it.
pub struct Data {
    program: PathBuf,
    folder: TempDir,
    url: String,
}

impl Data {
    pub async fn new(program: &Path, source: &Source) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("caleida-bench-").tempdir()?;
        // Assets are not measured, so an empty site is enough.
        std::fs::create_dir_all(folder.path().join("site/pkg"))?;
        std::fs::write(folder.path().join("site/pkg/caleida.css"), "")?;
        Ok(Self {
            program: program.to_owned(),
            url: source.create_database(folder.path()).await?,
            folder,
        })
    }

    pub async fn open_database(&self) -> anyhow::Result<Pool> {
        Pool::connect(&self.url).await
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("LEPTOS_SITE_ROOT", "site")
            .env("DATABASE_URL", &self.url)
            .env("CALEIDA_LISTEN", "127.0.0.1:0")
            .env("CALEIDA_METRICS_LISTEN", "127.0.0.1:0")
            // Requests of the benchmark must not be rejected.
            .env("CALEIDA_API_RATE_LIMIT", "off")
            .env("CALEIDA_ALLOW_HTTP", "true")
            .env("CALEIDA_ALLOW_NETWORKS", "127.0.0.0/8")
            .env("CALEIDA_ADMIN_PASSWORD", ADMIN_PASSWORD)
            .env("CALEIDA_SHUTDOWN_GRACE", "2s")
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    pub async fn start(&self) -> anyhow::Result<Program> {
        self.start_with(&[]).await
    }

    /// Starts the program with additional environment variables.
    pub async fn start_with(&self, environment: &[(&str, &str)]) -> anyhow::Result<Program> {
        let mut child = self
            .command()
            .envs(environment.iter().copied())
            .arg("serve")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no stdout")?).lines();
        let address = loop {
            let line = lines.next().context("the program did not start")??;
            if let Some((_, address)) = line.split_once("http://") {
                break address.parse()?;
            }
        };
        // Drains further output, which would otherwise fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        // A unique name per start, because the names of active keys must be unique.
        let key = self
            .command()
            .args(["api-key", "create", "--name", &format!("bench {}", child.id())])
            .output()?;
        ensure!(key.status.success(), "failed to create an API key");
        Ok(Program {
            child,
            address,
            key: String::from_utf8(key.stdout)?.trim().to_owned(),
            database: self.open_database().await?,
        })
    }
}

/// A running server.
pub struct Program {
    child: Child,
    address: SocketAddr,
    key: String,
    database: Pool,
}

impl Program {
    fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn cpu_time(&self) -> anyhow::Result<Duration> {
        machine::cpu_time(self.pid())
    }

    pub fn peak_memory(&self) -> anyhow::Result<u64> {
        machine::peak_memory(self.pid())
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn target(&self) -> Target {
        Target {
            address: self.address,
            path: "/api/v1/events",
            key: self.key.clone(),
        }
    }

    pub async fn add_webhook(&self, name: &str, url: &str) -> anyhow::Result<()> {
        self.add_webhook_with(name, url, json!({})).await
    }

    /// Adds a webhook with further settings.
    pub async fn add_webhook_with(&self, name: &str, url: &str, mut settings: Value) -> anyhow::Result<()> {
        settings["name"] = json!(name);
        settings["url"] = json!(url);
        settings["events"] = json!(["chat"]);
        let response = plain_client()?
            .post(format!("http://{}/api/v1/webhooks", self.address))
            .bearer_auth(&self.key)
            .body(settings.to_string())
            .send()
            .await?;
        ensure!(response.status().is_success(), "{}", response.text().await?);
        Ok(())
    }

    /// Waits until no delivery is pending and all attempts are recorded.
    pub async fn wait_until_idle(&self, timeout: Duration) -> anyhow::Result<()> {
        let started = Instant::now();
        let pending = "select exists (select 1 from deliveries where status in ('new', 'pending', 'held') and status <> 'held')";
        while self.database.fetch(pending).await? {
            ensure!(started.elapsed() < timeout, "deliveries were still pending");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    pub fn stop(mut self) -> anyhow::Result<()> {
        kill(Pid::from_raw(self.pid().try_into()?), Signal::SIGTERM)?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // No effect if the server was stopped.
        let _ = self.child.kill();
    }
}
