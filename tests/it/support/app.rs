//! A complete server in this process, on a random port and with its own database.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use caleida::{
    auth::api_key,
    delivery::sender::plain_client,
    domain::{AccountId, Actor, Clock, Email, Role, Timestamp, UserId},
    server::{Config, Server, clock::SystemClock},
    store::{DEFAULT_ACCOUNT, Person, UserChangeOutcome},
};
use clap::{Args, FromArgMatches};
use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{breakpoints::Breakpoints, browser::Browser, clock::TestClock};

pub const ADMIN: &str = "admin@localhost";
pub const PASSWORD: &str = "correct horse battery staple";

pub struct TestApp {
    server: Option<Server>,
    pub account: AccountId,
    key: String,
    client: reqwest::Client,
    data: TempDir,
    pub breakpoints: Arc<Breakpoints>,
}

/// Settings of a [`TestApp`].
pub struct Options {
    pub clock: Arc<dyn Clock>,
    /// Arguments of `serve` that override the defaults.
    pub arguments: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            arguments: Vec::new(),
        }
    }
}

impl TestApp {
    /// Starts a server that allows loopback receivers over http and retries a failed attempt twice, after 50 ms each.
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// Starts a server whose clock only the test advances.
    pub async fn start_at(clock: Arc<TestClock>) -> Self {
        Self::start_with(Options {
            clock,
            ..Options::default()
        })
        .await
    }

    pub async fn start_with(options: Options) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), options).await
    }

    async fn start_in(data: TempDir, options: Options) -> Self {
        let site = data.path().join("site");
        std::fs::create_dir_all(site.join("pkg")).unwrap();
        std::fs::write(site.join("pkg/caleida.css"), "").unwrap();
        let path = |name: &str| data.path().join(name).display().to_string();
        let mut arguments = vec![
            "serve".to_owned(),
            "--listen=127.0.0.1:0".to_owned(),
            "--metrics-listen=off".to_owned(),
            format!("--database-url=sqlite://{}", path("caleida.db")),
            format!("--master-key-file={}", path("master.key")),
            format!("--site-root={}", site.display()),
            format!("--admin-password={PASSWORD}"),
            "--allow-http=true".to_owned(),
            "--allow-networks=127.0.0.0/8".to_owned(),
            "--retry-schedule=50ms,50ms".to_owned(),
            "--delivery-timeout=2s".to_owned(),
            "--shutdown-grace=5s".to_owned(),
            // Tests poll more often than the default limit allows.
            "--api-rate-limit=off".to_owned(),
        ];
        arguments.extend(options.arguments);
        // The last occurrence of a flag wins.
        let command = Config::augment_args(clap::Command::new("serve").args_override_self(true));
        let config = Config::from_arg_matches(&command.get_matches_from(arguments)).unwrap();
        let server = Server::start(config, options.clock).await.unwrap();
        let now = SystemClock.now();
        let account = server.store.ensure_account(DEFAULT_ACCOUNT, now).await.unwrap();
        let scopes = api_key::SCOPES.map(str::to_owned).to_vec();
        let actor = Actor::operator(account.clone());
        // Unique, because a restart creates another key in the same database.
        let name = format!("tests {}", UserId::generate(now));
        let (_, key) = api_key::create(&server.store, &actor, &name, scopes, None, now)
            .await
            .unwrap();
        let client = plain_client().unwrap();
        Self {
            account,
            key: key.to_string(),
            client,
            data,
            breakpoints: Breakpoints::install(&server.store),
            server: Some(server),
        }
    }

    /// Restarts the server on the same data.
    pub async fn restart(self) -> Self {
        self.restart_with(Vec::new()).await
    }

    /// Like [`Self::restart`], with these arguments.
    pub async fn restart_with(mut self, arguments: Vec<String>) -> Self {
        self.stop().await;
        let data = std::mem::replace(&mut self.data, tempfile::tempdir().unwrap());
        let options = Options {
            arguments,
            ..Options::default()
        };
        Self::start_in(data, options).await
    }

    /// Shuts down gracefully: attempts in flight are completed or released.
    pub async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }

    /// Waits until the scheduler has completed a claim that began after this call.
    pub async fn claim_round(&self) {
        self.breakpoints.wait_for_claim(&self.server().wake).await;
    }

    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("the app was stopped")
    }

    pub fn data(&self) -> &std::path::Path {
        self.data.path()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server().address)
    }

    /// A request with an API key that has all scopes.
    pub fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(&self.key)
    }

    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// Requests an absolute URL.
    pub async fn get_url(&self, url: &str) -> reqwest::Response {
        self.client.get(url).send().await.unwrap()
    }

    /// Returns the metrics.
    pub async fn scrape(&self) -> String {
        let address = self.server().metrics.expect("metrics are enabled");
        let response = self.get_url(&format!("http://{address}/metrics")).await;
        assert_eq!(response.status(), StatusCode::OK);
        response.text().await.unwrap()
    }

    /// Creates a key with only these scopes.
    pub async fn key_with(&self, scopes: &[&str]) -> String {
        self.key_for(self.account.clone(), scopes).await
    }

    /// Creates a key with all scopes in another account.
    pub async fn key_of_another_account(&self) -> String {
        let store = &*self.server().store;
        let account = store.ensure_account("another", SystemClock.now()).await.unwrap();
        self.key_for(account, &api_key::SCOPES).await
    }

    async fn key_for(&self, account: AccountId, scopes: &[&str]) -> String {
        let (store, now) = (&*self.server().store, SystemClock.now());
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let name = format!("narrow {}", UserId::generate(now));
        let (_, key) = api_key::create(store, &Actor::operator(account), &name, scopes, None, now)
            .await
            .unwrap();
        key.to_string()
    }

    pub async fn get(&self, path: &str) -> Value {
        json_of(self.call(Method::GET, path), StatusCode::OK).await
    }

    pub async fn post(&self, path: &str, body: Value, expected: StatusCode) -> Value {
        json_of(with_json(self.call(Method::POST, path), &body), expected).await
    }

    pub async fn patch(&self, path: &str, body: Value, expected: StatusCode) -> Value {
        json_of(with_json(self.call(Method::PATCH, path), &body), expected).await
    }

    pub async fn delete(&self, path: &str) -> StatusCode {
        self.call(Method::DELETE, path).send().await.unwrap().status()
    }

    /// Adds a webhook for these events and returns it with its secret.
    pub async fn add_webhook(&self, name: &str, url: &str, events: &[&str]) -> Value {
        let body = json!({ "name": name, "url": url, "events": events });
        self.post("/api/v1/webhooks", body, StatusCode::CREATED).await
    }

    /// Publishes an event and returns the response.
    pub async fn publish(&self, event_type: &str) -> Value {
        let body = json!({ "type": event_type, "data": { "id": 1 } });
        self.post("/api/v1/events", body, StatusCode::ACCEPTED).await
    }

    /// Returns the newest deliveries that match the query.
    pub async fn deliveries(&self, query: &str) -> Vec<Value> {
        let page = self.get(&format!("/api/v1/deliveries?{query}")).await;
        page["deliveries"].as_array().unwrap().clone()
    }

    /// Waits until at least `count` deliveries have this status.
    pub async fn wait_for(&self, status: &str, count: usize) -> Vec<Value> {
        let query = format!("status={status}");
        eventually(|| async {
            let found = self.deliveries(&query).await;
            (found.len() >= count).then_some(found)
        })
        .await
        .unwrap_or_else(|| panic!("never found {count} deliveries with status {status}"))
    }

    /// Waits until the newest delivery has `attempts` attempts, and returns when the next one is due.
    pub async fn wait_for_next_attempt(&self, attempts: usize) -> Timestamp {
        eventually(|| async {
            let delivery = self.deliveries("").await.into_iter().next()?;
            let next = delivery["next_attempt_at"].as_str()?;
            (delivery["attempts"] == attempts).then(|| Timestamp::parse_rfc3339(next).unwrap())
        })
        .await
        .unwrap_or_else(|| panic!("no attempt was scheduled after {attempts}"))
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.client.clone(), self.url(""))
    }

    /// A browser with a session of this user.
    pub async fn signed_in(&self, email: &str) -> Browser {
        let mut browser = self.browser();
        let page = browser
            .post("/login", &[("email", email), ("password", PASSWORD)])
            .await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        browser
    }

    pub async fn person(&self, email: &str) -> Person {
        let person = self.server().store.person_by_email(email).await.unwrap();
        person.expect("the user exists")
    }

    pub async fn disable(&self, email: &str) {
        let person = self.person(email).await;
        let context = self.server().auth.operator(person.user.account_id);
        let disabled = self.server().store.disable_user(&context, &person.user.id).await;
        assert_eq!(disabled.unwrap(), UserChangeOutcome::Done);
    }

    pub async fn add_user(&self, email: &str, role: Role) {
        self.server()
            .auth
            .add_user(
                self.account.clone(),
                &Email::parse(email).unwrap(),
                role,
                PASSWORD,
            )
            .await
            .unwrap();
    }
}

fn with_json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.to_string())
}

async fn json_of(request: RequestBuilder, expected: StatusCode) -> Value {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(status, expected, "{text}");
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"))
}

/// Polls until `poll` returns `Some`, for at most ten seconds.
pub async fn eventually<T, F: Future<Output = Option<T>>>(poll: impl Fn() -> F) -> Option<T> {
    eventually_within(Duration::from_secs(10), poll).await
}

/// Polls until `poll` returns `Some` or the limit has passed.
pub async fn eventually_within<T, F: Future<Output = Option<T>>>(
    limit: Duration,
    poll: impl Fn() -> F,
) -> Option<T> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(found) = poll().await {
            return Some(found);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    None
}
