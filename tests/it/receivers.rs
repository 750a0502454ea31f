//! The example receivers of the guide, run like a user would, with real deliveries.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::StatusCode;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{
    app::{TestApp, eventually_within},
    free_port,
    receiver::Receiver,
};

/// Maximum time for a receiver to start and print; compiling on a busy machine takes longest.
const WAIT_TIMEOUT: Duration = Duration::from_secs(120);

/// A process of a receiver in `docs/receivers`.
struct ReceiverProcess {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl ReceiverProcess {
    /// Runs `command` with bash in an empty folder. `$FILE` is the receiver, `$ROOT` the repository.
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
            // The PHP receiver stores the IDs it has seen here.
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stderr(output.try_clone().unwrap())
            .stdout(output)
            .spawn()
            .unwrap();
        let mut process = Self { child, port, folder };
        let up = eventually_within(WAIT_TIMEOUT, || async {
            TcpStream::connect(("127.0.0.1", port)).ok()
        })
        .await;
        let exited = process.child.try_wait().unwrap();
        assert!(
            up.is_some() && exited.is_none(),
            "{file} did not start; `make test` installs its dependencies:\n{}",
            process.printed()
        );
        process
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    fn printed(&self) -> String {
        fs::read_to_string(self.folder.path().join("output")).unwrap()
    }

    async fn wait_until_printed(&self, line: &str) {
        let printed = eventually_within(WAIT_TIMEOUT, || async {
            self.printed()
                .lines()
                .any(|printed| printed == line)
                .then_some(())
        });
        assert!(
            printed.await.is_some(),
            "the receiver never printed {line:?}:\n{}",
            self.printed()
        );
    }
}

impl Drop for ReceiverProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns cargo's folder for examples, which contains the Rust receivers.
fn examples() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_caleida"));
    program.parent().unwrap().join("examples")
}

/// Asserts that a receiver accepts an event, recognizes a repeated one, accepts signatures with two secrets during a
/// rotation, and rejects events signed with another secret.
async fn check_receiver(file: &str, command: &str) {
    let app = TestApp::start().await;
    let webhook = app.add_webhook("theirs", "http://127.0.0.1:9/", &["chat"]).await;
    let path = format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap());
    let process = ReceiverProcess::start(file, command, webhook["secret"].as_str().unwrap()).await;
    app.patch(&path, json!({ "url": process.url() }), StatusCode::OK)
        .await;

    let first = app.publish("chat").await;
    let first = first["id"].as_str().unwrap();
    let delivered = app.wait_for("delivered", 1).await;
    process.wait_until_printed(&format!("chat {first}")).await;

    let resend = format!(
        "/api/v1/deliveries/{}/resend",
        delivered[0]["id"].as_str().unwrap()
    );
    app.post(&resend, json!({}), StatusCode::ACCEPTED).await;
    process.wait_until_printed(&format!("chat {first} again")).await;

    app.post(&format!("{path}/rotate-secret"), json!({}), StatusCode::OK)
        .await;
    let second = app.publish("chat").await;
    app.wait_for("delivered", 2).await;
    process
        .wait_until_printed(&format!("chat {}", second["id"].as_str().unwrap()))
        .await;

    // Without an overlap, the old secret stops signing at once.
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
async fn python_receivers_verify_deliveries() {
    check_receiver("python/plain.py", "exec python3 $FILE").await;
    check_receiver(
        "python/library.py",
        "exec $ROOT/target/receivers/bin/python $FILE",
    )
    .await;
}

#[tokio::test]
async fn javascript_receivers_verify_deliveries() {
    check_receiver("javascript/plain.mjs", "exec node $FILE").await;
    let with_library = "ln -s $ROOT/end2end/node_modules node_modules; cp $FILE . && exec node library.mjs";
    check_receiver("javascript/library.mjs", with_library).await;
}

#[tokio::test]
async fn go_receiver_verifies_deliveries() {
    check_receiver(
        "go/plain.go",
        "HOME=$PWD go build -o receiver $FILE && exec ./receiver",
    )
    .await;
}

#[tokio::test]
async fn ruby_receiver_verifies_deliveries() {
    check_receiver("ruby/plain.rb", "exec ruby $FILE").await;
}

#[tokio::test]
async fn php_receiver_verifies_deliveries() {
    check_receiver("php/plain.php", "exec php -S 127.0.0.1:$PORT $FILE").await;
}

#[tokio::test]
async fn java_receiver_verifies_deliveries() {
    let jackson = "jars=/usr/share/java; exec java -cp $jars/jackson-databind.jar:$jars/jackson-core.jar:$jars/jackson-annotations.jar $FILE";
    check_receiver("java/Plain.java", jackson).await;
}

#[tokio::test]
async fn rust_receivers_verify_deliveries() {
    check_receiver("rust/plain.rs", "exec $EXAMPLES/receiver-plain").await;
    check_receiver("rust/library.rs", "exec $EXAMPLES/receiver-library").await;
}

/// The shell script is not a server. It verifies a single call.
#[tokio::test]
async fn shell_script_verifies_delivery() {
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
