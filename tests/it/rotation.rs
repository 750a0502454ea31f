//! Rotation of the master key while events arrive: interrupted, resumed, and with different keys in two processes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use caleida::{
    server::clock::SystemClock,
    vault::{
        MASTER_KEY_LENGTH, Vault,
        rotation::{self, ResealReport},
    },
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::support::{
    app::{Options, TestApp},
    postgres,
    program::Program,
    receiver::Receiver,
};

const OLD: [u8; MASTER_KEY_LENGTH] = [1; MASTER_KEY_LENGTH];
const NEW: [u8; MASTER_KEY_LENGTH] = [2; MASTER_KEY_LENGTH];

/// More than one batch.
const WEBHOOKS: usize = 130;

fn keys(current: [u8; MASTER_KEY_LENGTH], other: Option<[u8; MASTER_KEY_LENGTH]>) -> Vec<String> {
    let mut arguments = vec![format!("--master-key={}", STANDARD.encode(current))];
    arguments.extend(other.map(|key| format!("--previous-master-key={}", STANDARD.encode(key))));
    arguments
}

async fn app(arguments: Vec<String>) -> TestApp {
    TestApp::start_with(Options {
        arguments,
        ..Options::default()
    })
    .await
}

fn vault() -> Vault {
    Vault::new(&Zeroizing::new(NEW)).with_secondary_key(&Zeroizing::new(OLD))
}

async fn secret_of(app: &TestApp, webhook: &Value) -> Value {
    let path = format!("/api/v1/webhooks/{}/secret", webhook["id"].as_str().unwrap());
    app.get(&path).await["secret"].clone()
}

/// Asserts that each webhook receives an event signed with its secret.
async fn assert_delivered(app: &TestApp, receiver: &Receiver, webhooks: &[Value]) {
    let before = receiver.received().len();
    app.publish("chat").await;
    let calls = receiver.wait_for(before + webhooks.len()).await;
    for webhook in webhooks {
        let path = format!("/{}", webhook["name"].as_str().unwrap());
        let call = calls[before..].iter().find(|call| call.path == path).unwrap();
        assert!(call.is_signed_with(webhook["secret"].as_str().unwrap()), "{path}");
    }
}

async fn check_interrupted_rotation(database: Option<String>) {
    let database: Vec<_> = database
        .map(|url| format!("--database-url={url}"))
        .into_iter()
        .collect();
    let app = app([database.clone(), keys(OLD, Some(NEW))].concat()).await;
    let receiver = Receiver::start().await;
    let mut webhooks = Vec::new();
    for index in 0..WEBHOOKS {
        let name = format!("w{index}");
        webhooks.push(
            app.add_webhook(&name, &receiver.url(&format!("/{name}")), &["chat"])
                .await,
        );
    }
    let rotated = format!(
        "/api/v1/webhooks/{}/rotate-secret",
        webhooks[0]["id"].as_str().unwrap()
    );
    let answer = app.post(&rotated, json!({}), StatusCode::OK).await;
    webhooks[0]["secret"] = answer["secret"].clone();
    assert_delivered(&app, &receiver, &webhooks).await;

    // Interrupt the rotation once the first batch is committed.
    let store = Arc::clone(&app.server().store);
    let breakpoint = app.breakpoints.set("reseal: committed");
    let interrupted =
        tokio::spawn(async move { rotation::reseal(&vault(), &store, &SystemClock, &|_| {}).await });
    breakpoint.reached().await;
    interrupted.abort();
    assert!(interrupted.await.unwrap_err().is_cancelled());
    let mut in_use = app.server().store.master_key_ids().await.unwrap();
    in_use.sort();
    let vault = vault();
    let mut both: Vec<_> = vault.key_ids().collect();
    both.sort_unstable();
    assert_eq!(in_use, both, "both keys are in use");
    // The restart clears the caches, so every secret is opened again.
    let app = app
        .restart_with([database.clone(), keys(OLD, Some(NEW))].concat())
        .await;
    assert_delivered(&app, &receiver, &webhooks).await;

    let (reported, store) = (AtomicU64::new(0), Arc::clone(&app.server().store));
    let progress = |resealed| reported.store(resealed, Ordering::Relaxed);
    let resuming = rotation::reseal(&vault, &store, &SystemClock, &progress);
    let (done, ()) = tokio::join!(resuming, assert_delivered(&app, &receiver, &webhooks));
    let rest = WEBHOOKS as u64 - 100;
    let expected = ResealReport {
        resealed: rest,
        damaged: Vec::new(),
    };
    assert_eq!(done.unwrap(), expected);
    assert_eq!(reported.into_inner(), rest);
    assert_eq!(store.master_key_ids().await.unwrap(), [vault.key_id()]);

    let app = app.restart_with([database, keys(NEW, None)].concat()).await;
    assert_delivered(&app, &receiver, &webhooks).await;
    for webhook in &webhooks {
        assert_eq!(secret_of(&app, webhook).await, webhook["secret"]);
    }
}

#[tokio::test]
async fn interrupted_rotation_resumes_on_sqlite() {
    check_interrupted_rotation(None).await;
}

#[tokio::test]
async fn interrupted_rotation_resumes_on_postgres() {
    check_interrupted_rotation(Some(postgres::create_database().await)).await;
}

#[tokio::test]
async fn processes_with_swapped_keys_read_each_others_secrets() {
    let database = format!("--database-url={}", postgres::create_database().await);
    let one = app([vec![database.clone()], keys(OLD, Some(NEW))].concat()).await;
    let other = app([vec![database], keys(NEW, Some(OLD))].concat()).await;
    let receiver = Receiver::start().await;
    let mut webhooks = Vec::new();
    for (app, name) in [(&one, "one"), (&other, "other")] {
        webhooks.push(
            app.add_webhook(name, &receiver.url(&format!("/{name}")), &["chat"])
                .await,
        );
    }
    for app in [&one, &other] {
        assert_delivered(app, &receiver, &webhooks).await;
    }
    assert_eq!(one.server().store.master_key_ids().await.unwrap().len(), 2);
}

fn rotate(program: &Program) -> (Option<i32>, String) {
    let output = program.output(&["rotate-master-key", "--new-key-file", "new.key"]);
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(printed).unwrap())
}

#[tokio::test]
async fn rotation_command_guides_each_step() {
    let receiver = Receiver::start().await;
    let mut program = Program::start(&[]).await;
    let webhook = program.api().add_webhook(&receiver.url("/")).await;
    let (code, printed) = rotate(&program);
    assert_eq!(code, Some(1), "{printed}");
    assert!(
        printed.contains("nothing was changed")
            && printed.contains("CALEIDA_PREVIOUS_MASTER_KEY_FILE=new.key"),
        "{printed}"
    );
    let new_key = std::fs::read(program.folder().join("new.key")).unwrap();

    program.kill();
    program
        .restart(&[("CALEIDA_PREVIOUS_MASTER_KEY_FILE", "new.key")])
        .await;
    let (code, printed) = rotate(&program);
    assert_eq!(code, Some(0), "{printed}");
    assert!(
        printed.contains("the key in new.key: 1.") && printed.contains("run the same command again"),
        "{printed}"
    );
    assert_eq!(std::fs::read(program.folder().join("new.key")).unwrap(), new_key);
    program.api().publish("first").await.unwrap();
    receiver.wait_for(1).await;

    program.kill();
    let swapped = [
        ("CALEIDA_MASTER_KEY_FILE", "new.key"),
        ("CALEIDA_PREVIOUS_MASTER_KEY_FILE", "data/master.key"),
    ];
    program.restart(&swapped).await;
    let (code, printed) = rotate(&program);
    assert_eq!(code, Some(0), "{printed}");
    assert!(
        printed.contains("new.key: 0.") && printed.contains("from now on"),
        "{printed}"
    );

    program.kill();
    let failed = program.output(&["serve"]);
    let printed = String::from_utf8(failed.stderr).unwrap();
    assert_eq!(failed.status.code(), Some(2), "{printed}");
    assert!(
        printed.lines().count() == 1 && printed.contains("CALEIDA_PREVIOUS_MASTER_KEY_FILE"),
        "{printed}"
    );
    program.restart(&swapped[..1]).await;
    program.api().publish("second").await.unwrap();
    let call = receiver.wait_for(2).await.remove(1);
    assert!(call.is_signed_with(webhook["secret"].as_str().unwrap()));
    let path = format!("webhooks/{}", webhook["id"].as_str().unwrap());
    program.api().change(Method::DELETE, &path, &json!({})).await;
}
