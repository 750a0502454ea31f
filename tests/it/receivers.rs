//! The receivers that the guide offers to copy, run as their users would run them, and called by real deliveries.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::StatusCode;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{
    app::{TestApp, eventually_within},
    receiver::Receiver,
};

/// Until a runtime has started; the first call of a compiler on a busy machine takes longest.
const PATIENCE: Duration = Duration::from_secs(120);

/// A receiver of `docs/receivers` in a process of its own.
struct Running {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Running {
    /// `command` is run by bash in an empty folder. `$FILE` is the receiver, `$ROOT` our own folder.
    async fn start(file: &str, command: &str, secret: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let output = fs::File::create(folder.path().join("output")).unwrap();
        let child = Command::new("bash")
            .args(["-euo", "pipefail", "-c", command])
            .current_dir(folder.path())
            .env("FILE", root().join("docs/receivers").join(file))
            .env("ROOT", root())
            .env("EXAMPLES", examples())
            .env("WEBHOOK_SECRET", secret)
            .env("PORT", port.to_string())
            // Where the one in PHP keeps what it has seen.
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stderr(output.try_clone().unwrap())
            .stdout(output)
            .spawn()
            .unwrap();
        let mut running = Self { child, port, folder };
        let up = eventually_within(PATIENCE, || async {
            TcpStream::connect(("127.0.0.1", port)).ok()
        })
        .await;
        let ended = running.child.try_wait().unwrap();
        assert!(
            up.is_some() && ended.is_none(),
            "{file} does not start; `make test` installs what it needs:\n{}",
            running.printed()
        );
        running
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    fn printed(&self) -> String {
        fs::read_to_string(self.folder.path().join("output")).unwrap()
    }

    async fn wait_until_printed(&self, line: &str) {
        let printed = eventually_within(PATIENCE, || async {
            self.printed()
                .lines()
                .any(|printed| printed == line)
                .then_some(())
        });
        assert!(
            printed.await.is_some(),
            "it never printed {line:?}:\n{}",
            self.printed()
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo puts the examples, which are the receivers in Rust.
fn examples() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_caleida"));
    program.parent().unwrap().join("examples")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// One event is taken, and once only; so is one that two secrets have signed. What another secret has signed is refused.
async fn receives(file: &str, command: &str) {
    let app = TestApp::start().await;
    let webhook = app.add_webhook("theirs", "http://127.0.0.1:9/", &["chat"]).await;
    let path = format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap());
    let running = Running::start(file, command, webhook["secret"].as_str().unwrap()).await;
    app.patch(&path, json!({ "url": running.url() }), StatusCode::OK)
        .await;

    let first = app.publish("chat").await;
    let first = first["id"].as_str().unwrap();
    let delivered = app.wait_for("delivered", 1).await;
    running.wait_until_printed(&format!("chat {first}")).await;

    let resend = format!(
        "/api/v1/deliveries/{}/resend",
        delivered[0]["id"].as_str().unwrap()
    );
    app.post(&resend, json!({}), StatusCode::ACCEPTED).await;
    running.wait_until_printed(&format!("chat {first} again")).await;

    app.post(&format!("{path}/rotate-secret"), json!({}), StatusCode::OK)
        .await;
    let second = app.publish("chat").await;
    app.wait_for("delivered", 2).await;
    running
        .wait_until_printed(&format!("chat {}", second["id"].as_str().unwrap()))
        .await;

    // At once, the old secret signs no more.
    let body = json!({ "overlap_hours": 0 });
    app.post(&format!("{path}/rotate-secret"), body, StatusCode::OK)
        .await;
    app.publish("chat").await;
    let failed = app.wait_for("failed", 1).await;
    let id = failed[0]["id"].as_str().unwrap();
    let delivery = app.get(&format!("/api/v1/deliveries/{id}")).await;
    assert_eq!(delivery["attempt_log"][0]["status_code"], 400, "{delivery}");
}

#[tokio::test]
async fn the_receivers_in_python_receive() {
    receives("python/plain.py", "exec python3 $FILE").await;
    receives(
        "python/library.py",
        "exec $ROOT/target/receivers/bin/python $FILE",
    )
    .await;
}

#[tokio::test]
async fn the_receivers_in_javascript_receive() {
    receives("javascript/plain.mjs", "exec node $FILE").await;
    let beside_the_library =
        "ln -s $ROOT/end2end/node_modules node_modules; cp $FILE . && exec node library.mjs";
    receives("javascript/library.mjs", beside_the_library).await;
}

#[tokio::test]
async fn the_receiver_in_go_receives() {
    receives(
        "go/plain.go",
        "HOME=$PWD go build -o receiver $FILE && exec ./receiver",
    )
    .await;
}

#[tokio::test]
async fn the_receiver_in_ruby_receives() {
    receives("ruby/plain.rb", "exec ruby $FILE").await;
}

#[tokio::test]
async fn the_receiver_in_php_receives() {
    receives("php/plain.php", "exec php -S 127.0.0.1:$PORT $FILE").await;
}

#[tokio::test]
async fn the_receiver_in_java_receives() {
    let jackson = "jars=/usr/share/java; exec java -cp $jars/jackson-databind.jar:$jars/jackson-core.jar:$jars/jackson-annotations.jar $FILE";
    receives("java/Plain.java", jackson).await;
}

#[tokio::test]
async fn the_receivers_in_rust_receive() {
    receives("rust/plain.rs", "exec $EXAMPLES/receiver-plain").await;
    receives("rust/library.rs", "exec $EXAMPLES/receiver-library").await;
}

/// It is no server: it verifies one call, which is a real one here.
#[tokio::test]
async fn the_script_verifies_what_was_delivered() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let webhook = app.add_webhook("theirs", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    let call = receiver.wait_for(1).await.remove(0);
    let verify = |body: &[u8], secret: &str| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("body"), body).unwrap();
        let status = Command::new("bash")
            .arg(root().join("docs/receivers/shell/plain.sh"))
            .env("WEBHOOK_SECRET", secret)
            .env("WEBHOOK_ID", call.header("webhook-id"))
            .env("WEBHOOK_TIMESTAMP", call.header("webhook-timestamp"))
            .env("WEBHOOK_SIGNATURE", call.header("webhook-signature"))
            .stdin(fs::File::open(folder.path().join("body")).unwrap())
            .stderr(Stdio::null())
            .status();
        status.unwrap().code()
    };
    let secret = webhook["secret"].as_str().unwrap();
    assert_eq!(verify(&call.body, secret), Some(0));
    assert_eq!(verify(&[&*call.body, b"\n"].concat(), secret), Some(1));
    assert_eq!(
        verify(&call.body, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        Some(1)
    );
}
