//! The program itself, as a process: for what only a process can do, such as die.

use std::{
    fs::File,
    io::Write,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use caleida::delivery::sender::plain_client;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{app::eventually, browser::Browser};

/// A folder with its data. At most one server at a time runs there.
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
    /// A server that may call receivers on loopback over http, with these settings besides.
    pub async fn start(settings: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("site/pkg")).unwrap();
        std::fs::write(folder.path().join("site/pkg/caleida.css"), "").unwrap();
        let usual = [
            ("LEPTOS_SITE_ROOT", "site"),
            ("CALEIDA_LISTEN", "127.0.0.1:0"),
            ("CALEIDA_METRICS_LISTEN", "off"),
            ("CALEIDA_ALLOW_HTTP", "true"),
            ("CALEIDA_ALLOW_NETWORKS", "127.0.0.0/8"),
            // Tests look more often than anybody should.
            ("CALEIDA_API_RATE_LIMIT", "off"),
        ];
        let environment = usual.iter().chain(settings);
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
        // Others may have made theirs in the same database.
        let name = program.folder().display().to_string();
        let key = program.run(&["api-key", "create", "--name", &name]);
        program.key = String::from_utf8(key.stdout).unwrap().trim().to_owned();
        program
    }

    fn command(&self) -> Command {
        // A limit on its files has to look like a full disk to it, instead of ending it by a signal.
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

    /// Another command on the same data.
    pub fn output(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// The same, with something to read.
    pub fn output_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// The same, which has to succeed.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let output = self.output(arguments);
        assert!(output.status.success(), "{output:?}");
        output
    }

    /// The same, with this on its standard input.
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

    /// Starts a server, where none runs any more, with these settings for this time only.
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
        let url = eventually(|| async { url_in(&printed) }).await;
        let url = url.unwrap_or_else(|| panic!("it did not start:\n{}", self.log()));
        self.running = Some(Running { child, url });
    }

    /// Stops it where it is, as if its machine did; [`Self::thaw`] lets it go on.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Where it runs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("no server runs")
    }

    pub fn pid(&self) -> u32 {
        self.running().child.id()
    }

    /// SIGKILL: nothing can be finished or written down.
    pub fn kill(&mut self) {
        let mut running = self.running.take().expect("no server runs");
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) {
        let mut running = self.running.take().expect("no server runs");
        for _ in 0..1_000 {
            if running.child.try_wait().unwrap().is_some() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        running.child.kill().unwrap();
        panic!("it did not end");
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
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.kill();
        }
    }
}

fn url_in(printed: &Path) -> Option<String> {
    let printed = std::fs::read_to_string(printed).ok()?;
    let line = printed.lines().find(|line| line.contains("http://"))?;
    Some(line[line.find("http://")?..].trim().to_owned())
}

/// The API of the server that runs at this moment. It may die at any moment, so nothing is sure to be answered.
#[derive(Clone)]
pub struct Api {
    url: String,
    key: String,
    client: reqwest::Client,
}

impl Api {
    /// A call with its key, to be sent.
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

    /// The same with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self {
            key: key.to_owned(),
            ..self.clone()
        }
    }

    /// Adds a webhook that wants chats, and answers it with its secret.
    pub async fn add_webhook(&self, url: &str) -> Value {
        let body = json!({ "name": "receiver", "url": url, "events": ["chat"] });
        self.change(Method::POST, "webhooks", &body).await
    }

    /// Has to succeed; answers what it is now, or null.
    pub async fn change(&self, method: Method, path: &str, body: &Value) -> Value {
        let call = self.call(method, &format!("/api/v1/{path}"));
        let response = call.body(body.to_string()).send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// The newest deliveries with that status.
    pub async fn deliveries(&self, status: &str) -> Vec<Value> {
        let call = self.call(Method::GET, &format!("/api/v1/deliveries?status={status}"));
        let text = call.send().await.unwrap().text().await.unwrap();
        let page: Value = serde_json::from_str(&text).unwrap();
        page["deliveries"].as_array().unwrap().clone()
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }

    /// Any call, with any key.
    pub async fn ask(&self, method: Method, path: &str, key: &str, body: &Value) -> (StatusCode, String) {
        let request = self.client.request(method, format!("{}{path}", self.url));
        let request = request.bearer_auth(key).body(body.to_string());
        let response = request.send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    /// What is at this URL, wherever that leads.
    pub async fn text_at(&self, url: &str) -> String {
        let response = self.client.get(url).send().await.unwrap();
        response.text().await.unwrap()
    }

    /// A request that comes with a name.
    pub async fn get_named(&self, path: &str, name: &str) -> StatusCode {
        let request = self.client.get(format!("{}{path}", self.url));
        request
            .header("x-request-id", name)
            .send()
            .await
            .unwrap()
            .status()
    }

    /// What it answers to somebody without a key.
    pub async fn status(&self, path: &str) -> StatusCode {
        let response = self.client.get(format!("{}{path}", self.url)).send().await;
        response.unwrap().status()
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.client.clone(), self.url.clone())
    }
}
