//! The program as a process, for tests that kill, freeze or limit it.

use std::{
    fs::File,
    io::Write,
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
};

use caleida::delivery::sender::plain_client;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{app::eventually, browser::Browser};

/// A data folder with at most one running server.
pub struct Program {
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
    client: reqwest::Client,
    key: String,
    running: Option<Running>,
}

struct Running {
    child: Child,
    url: String,
}

impl Program {
    /// Starts a server that allows loopback receivers over http, with additional environment variables.
    pub async fn start(settings: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("site/pkg")).unwrap();
        std::fs::write(folder.path().join("site/pkg/caleida.css"), "").unwrap();
        let defaults = [
            ("LEPTOS_SITE_ROOT", "site"),
            ("CALEIDA_LISTEN", "127.0.0.1:0"),
            ("CALEIDA_METRICS_LISTEN", "off"),
            ("CALEIDA_ALLOW_HTTP", "true"),
            ("CALEIDA_ALLOW_NETWORKS", "127.0.0.0/8"),
            // Tests poll more often than the default limit allows.
            ("CALEIDA_API_RATE_LIMIT", "off"),
        ];
        let environment = defaults.iter().chain(settings);
        let mut program = Self {
            folder,
            environment: environment
                .map(|&(name, value)| (name, value.to_owned()))
                .collect(),
            client: plain_client().unwrap(),
            key: String::new(),
            running: None,
        };
        program.restart(&[]).await;
        // Unique, because other processes may share the database.
        let name = program.folder().display().to_string();
        let key = program.run(&["api-key", "create", "--name", &name]);
        program.key = String::from_utf8(key.stdout).unwrap().trim().to_owned();
        program
    }

    fn command(&self) -> Command {
        // Without SIGXFSZ, exceeding the file size limit fails like a full disk.
        let mut command = Command::new("bash");
        command
            .args([
                "-c",
                r#"trap '' XFSZ; exec "$0" "$@""#,
                env!("CARGO_BIN_EXE_caleida"),
            ])
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// Runs another command on the same data.
    pub fn output(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Like [`Self::output`], with `input` piped to standard input.
    pub fn output_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Fails if the command exits without reading.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Like [`Self::output`], and asserts success.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let output = self.output(arguments);
        assert!(output.status.success(), "{output:?}");
        output
    }

    /// Like [`Self::run`], with `input` as a file on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let file = self.folder.path().join("stdin");
        std::fs::write(&file, input).unwrap();
        let mut command = self.command();
        let output = command
            .args(arguments)
            .stdin(File::open(file).unwrap())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        output
    }

    /// Starts a server after the previous one has ended. The settings apply to this run only.
    pub async fn restart(&mut self, settings: &[(&str, &str)]) {
        let printed = self.folder.path().join("stdout");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("stderr"))
            .unwrap();
        let child = self
            .command()
            .arg("serve")
            .envs(settings.iter().copied())
            .stdout(File::create(&printed).unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let url = eventually(|| async { printed_url(&printed) }).await;
        let url = url.unwrap_or_else(|| panic!("the server did not start:\n{}", self.log()));
        self.running = Some(Running { child, url });
    }

    /// Suspends the process (SIGSTOP) until [`Self::thaw`].
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// The working directory.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("a server is running")
    }

    pub fn pid(&self) -> u32 {
        self.running().child.id()
    }

    /// Kills the process (SIGKILL).
    pub fn kill(&mut self) {
        let mut running = self.running.take().expect("a server is running");
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }

    /// Stops the process (SIGTERM) and returns its exit status.
    pub async fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait_until_exited().await
    }

    /// Waits until the process exits by itself, and returns its exit status.
    pub async fn wait_until_exited(&mut self) -> ExitStatus {
        let mut running = self.running.take().expect("a server is running");
        for _ in 0..3_000 {
            if let Some(status) = running.child.try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        running.child.kill().unwrap();
        panic!("the process did not exit");
    }

    pub fn api(&self) -> Api {
        Api {
            url: self.running().url.clone(),
            key: self.key.clone(),
            client: self.client.clone(),
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }

    /// Waits until the log contains this text. The program writes its log in the background.
    pub async fn wait_for_log(&self, text: &str) {
        let logged = eventually(async || self.log().contains(text).then_some(()));
        if logged.await.is_none() {
            panic!("the log does not contain {text:?}:\n{}", self.log());
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.kill();
        }
    }
}

fn printed_url(printed: &Path) -> Option<String> {
    let printed = std::fs::read_to_string(printed).ok()?;
    let line = printed.lines().find(|line| line.contains("http://"))?;
    Some(line[line.find("http://")?..].trim().to_owned())
}

/// API client of a running server. Requests may fail, because tests kill servers.
#[derive(Clone)]
pub struct Api {
    url: String,
    key: String,
    client: reqwest::Client,
}

impl Api {
    /// A request with the API key.
    pub fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        request.bearer_auth(&self.key)
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    pub async fn publish(&self, id: &str) -> reqwest::Result<Response> {
        let body = json!({ "type": "chat", "id": id, "data": { "text": "x".repeat(500) } });
        let call = self.call(Method::POST, "/api/v1/events");
        call.body(body.to_string()).send().await
    }

    /// The same client with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self {
            key: key.to_owned(),
            ..self.clone()
        }
    }

    /// Adds a webhook for `chat` events and returns it with its secret.
    pub async fn add_webhook(&self, url: &str) -> Value {
        let body = json!({ "name": "receiver", "url": url, "events": ["chat"] });
        self.change(Method::POST, "webhooks", &body).await
    }

    /// Sends a change and asserts success. Returns the response body, or null if it is empty.
    pub async fn change(&self, method: Method, path: &str, body: &Value) -> Value {
        let call = self.call(method, &format!("/api/v1/{path}"));
        let response = call.body(body.to_string()).send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Returns the newest deliveries with this status.
    pub async fn deliveries(&self, status: &str) -> Vec<Value> {
        let call = self.call(Method::GET, &format!("/api/v1/deliveries?status={status}"));
        let text = call.send().await.unwrap().text().await.unwrap();
        let page: Value = serde_json::from_str(&text).unwrap();
        page["deliveries"].as_array().unwrap().clone()
    }

    /// Listen address.
    pub fn address(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }

    /// Sends a request with any key. Returns status and body.
    pub async fn send(&self, method: Method, path: &str, key: &str, body: &Value) -> (StatusCode, String) {
        let request = self.client.request(method, format!("{}{path}", self.url));
        let request = request.bearer_auth(key).body(body.to_string());
        let response = request.send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    /// Requests an absolute URL and returns the body.
    pub async fn get_text(&self, url: &str) -> String {
        let response = self.client.get(url).send().await.unwrap();
        response.text().await.unwrap()
    }

    /// Requests a path with this request ID and returns the status.
    pub async fn get_with_request_id(&self, path: &str, id: &str) -> StatusCode {
        let request = self.client.get(format!("{}{path}", self.url));
        request.header("x-request-id", id).send().await.unwrap().status()
    }

    /// Requests a path without a key and returns the status.
    pub async fn status(&self, path: &str) -> StatusCode {
        let response = self.client.get(format!("{}{path}", self.url)).send().await;
        response.unwrap().status()
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.client.clone(), self.url.clone())
    }
}
