//! The whole product on a random port, with a database of its own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use caleida::{
    auth::api_key,
    delivery::sender::plain_client,
    domain::{AccountId, Actor, Clock, Email, Role, Timestamp, UserId},
    server::{Config, Server, clock::SystemClock},
    store::{Changed, DEFAULT_ACCOUNT, Person},
};
use clap::{Args, FromArgMatches};
use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{browser::Browser, clock::TestClock};

pub const ADMIN: &str = "admin@localhost";
pub const PASSWORD: &str = "correct horse battery staple";

pub struct TestApp {
    server: Option<Server>,
    pub account: AccountId,
    key: String,
    client: reqwest::Client,
    data: TempDir,
}

/// How a test's app differs from the usual.
pub struct Options {
    pub clock: Arc<dyn Clock>,
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
    /// Loopback receivers over http are allowed; a failed attempt is repeated after 50 ms, twice.
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// On a clock that only the test moves.
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
            // Tests look more often than anybody should.
            "--api-rate-limit=off".to_owned(),
        ];
        arguments.extend(options.arguments);
        // The last of two flags wins.
        let command = Config::augment_args(clap::Command::new("serve").args_override_self(true));
        let config = Config::from_arg_matches(&command.get_matches_from(arguments)).unwrap();
        let server = Server::start(config, options.clock).await.unwrap();
        let now = SystemClock.now();
        let account = server.store.ensure_account(DEFAULT_ACCOUNT, now).await.unwrap();
        let scopes = api_key::SCOPES.map(str::to_owned).to_vec();
        let actor = Actor::operator(account.clone());
        // A name of its own at each start, which all are for the same data.
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
            server: Some(server),
        }
    }

    /// Stops it and starts it again on the same data.
    pub async fn restart(self) -> Self {
        self.restart_with(Vec::new()).await
    }

    /// The same, with these arguments.
    pub async fn restart_with(mut self, arguments: Vec<String>) -> Self {
        self.stop().await;
        let data = std::mem::replace(&mut self.data, tempfile::tempdir().unwrap());
        let options = Options {
            arguments,
            ..Options::default()
        };
        Self::start_in(data, options).await
    }

    /// Stops it gracefully; what it had under way is finished or given back.
    pub async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
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

    /// A call of the API with a key that may do everything.
    pub fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(&self.key)
    }

    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// By its whole URL, wherever that leads.
    pub async fn plain(&self, url: &str) -> reqwest::Response {
        self.client.get(url).send().await.unwrap()
    }

    /// The metrics, of an app that has them.
    pub async fn scrape(&self) -> String {
        let address = self.server().metrics.expect("the metrics are off");
        let response = self.plain(&format!("http://{address}/metrics")).await;
        assert_eq!(response.status(), StatusCode::OK);
        response.text().await.unwrap()
    }

    /// A key of its own with these scopes only.
    pub async fn key_with(&self, scopes: &[&str]) -> String {
        self.key_for(self.account.clone(), scopes).await
    }

    /// A key for another account.
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

    /// Adds a webhook for these events, and answers it with its secret.
    pub async fn add_webhook(&self, name: &str, url: &str, events: &[&str]) -> Value {
        let body = json!({ "name": name, "url": url, "events": events });
        self.post("/api/v1/webhooks", body, StatusCode::CREATED).await
    }

    /// Publishes an event, and answers its receipt.
    pub async fn publish(&self, event_type: &str) -> Value {
        let body = json!({ "type": event_type, "data": { "id": 1 } });
        self.post("/api/v1/events", body, StatusCode::ACCEPTED).await
    }

    /// The newest deliveries that match the query.
    pub async fn deliveries(&self, query: &str) -> Vec<Value> {
        let page = self.get(&format!("/api/v1/deliveries?{query}")).await;
        page["deliveries"].as_array().unwrap().clone()
    }

    /// Waits until so many deliveries have that status.
    pub async fn wait_for(&self, status: &str, count: usize) -> Vec<Value> {
        let query = format!("status={status}");
        eventually(|| async {
            let found = self.deliveries(&query).await;
            (found.len() >= count).then_some(found)
        })
        .await
        .unwrap_or_else(|| panic!("there were never {count} deliveries with status {status}"))
    }

    /// Waits until so many attempts of the newest delivery are recorded, and answers when the next one is due.
    pub async fn wait_for_next_attempt(&self, attempts: usize) -> Timestamp {
        eventually(|| async {
            let delivery = self.deliveries("").await.into_iter().next()?;
            let next = delivery["next_attempt_at"].as_str()?;
            (delivery["attempts"] == attempts).then(|| Timestamp::parse_rfc3339(next).unwrap())
        })
        .await
        .unwrap_or_else(|| panic!("there was never a next attempt after {attempts}"))
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.client.clone(), self.url(""))
    }

    /// A browser in which this user has signed in.
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
        person.expect("there is such a user")
    }

    pub async fn disable(&self, email: &str) {
        let person = self.person(email).await;
        let context = self.server().auth.operator(person.user.account_id);
        let disabled = self.server().store.disable_user(&context, &person.user.id).await;
        assert_eq!(disabled.unwrap(), Changed::Done);
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

/// Looks again and again, for ten seconds at most: for what has no notification that a test could wait for.
pub async fn eventually<T, F: Future<Output = Option<T>>>(look: impl Fn() -> F) -> Option<T> {
    eventually_within(Duration::from_secs(10), look).await
}

pub async fn eventually_within<T, F: Future<Output = Option<T>>>(
    limit: Duration,
    look: impl Fn() -> F,
) -> Option<T> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(found) = look().await {
            return Some(found);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    None
}
