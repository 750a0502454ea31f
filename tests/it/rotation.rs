//! The master key, rotated while events come in: interrupted, resumed, and between processes with different keys.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use caleida::{
    server::clock::SystemClock,
    vault::{
        MASTER_KEY_LENGTH, Vault,
        rotation::{self, Resealing},
    },
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::support::{
    app::{Options, TestApp},
    held::Holds,
    postgres,
    program::Program,
    receiver::Receiver,
};

const OLD: [u8; MASTER_KEY_LENGTH] = [1; MASTER_KEY_LENGTH];
const NEW: [u8; MASTER_KEY_LENGTH] = [2; MASTER_KEY_LENGTH];

/// More than one portion.
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
    Vault::new(&Zeroizing::new(NEW)).with_other(&Zeroizing::new(OLD))
}

async fn secret_of(app: &TestApp, webhook: &Value) -> Value {
    let path = format!("/api/v1/webhooks/{}/secret", webhook["id"].as_str().unwrap());
    app.get(&path).await["secret"].clone()
}

/// Each of these gets an event that its secret verifies.
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

async fn interrupted_and_resumed(database: Option<String>) {
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

    // It dies when the first portion is committed.
    let store = Arc::clone(&app.server().store);
    let hold = Holds::of(&store).hold("reseal: committed");
    let dying = tokio::spawn(async move { rotation::reseal(&vault(), &store, &SystemClock, &|_| {}).await });
    hold.reached().await;
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());
    let mut in_use = app.server().store.master_key_ids().await.unwrap();
    in_use.sort();
    let vault = vault();
    let mut both: Vec<_> = vault.opens().collect();
    both.sort_unstable();
    assert_eq!(in_use, both, "half of them are under each key");
    // Nothing is remembered of any secret: it has to be opened as it is.
    let app = app
        .restart_with([database.clone(), keys(OLD, Some(NEW))].concat())
        .await;
    assert_delivered(&app, &receiver, &webhooks).await;

    let (seen, store) = (AtomicU64::new(0), Arc::clone(&app.server().store));
    let progress = |resealed| seen.store(resealed, Ordering::Relaxed);
    let resuming = rotation::reseal(&vault, &store, &SystemClock, &progress);
    let (done, ()) = tokio::join!(resuming, assert_delivered(&app, &receiver, &webhooks));
    let rest = WEBHOOKS as u64 - 100;
    let expected = Resealing {
        resealed: rest,
        damaged: Vec::new(),
    };
    assert_eq!(done.unwrap(), expected);
    assert_eq!(seen.into_inner(), rest);
    assert_eq!(store.master_key_ids().await.unwrap(), [vault.key_id()]);

    let app = app.restart_with([database, keys(NEW, None)].concat()).await;
    assert_delivered(&app, &receiver, &webhooks).await;
    for webhook in &webhooks {
        assert_eq!(secret_of(&app, webhook).await, webhook["secret"]);
    }
}

#[tokio::test]
async fn on_sqlite_a_rotation_that_dies_goes_on_where_it_was_and_no_event_notices() {
    interrupted_and_resumed(None).await;
}

#[tokio::test]
async fn on_postgres_a_rotation_that_dies_goes_on_where_it_was_and_no_event_notices() {
    interrupted_and_resumed(Some(postgres::create_database().await)).await;
}

#[tokio::test]
async fn processes_with_exchanged_keys_open_what_each_other_seals() {
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
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn the_command_says_each_step_and_refuses_what_would_stop_deliveries() {
    let receiver = Receiver::start().await;
    let mut program = Program::start(&[]).await;
    let webhook = program.api().add_webhook(&receiver.url("/")).await;
    let (code, said) = rotate(&program);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("nothing was changed") && said.contains("CALEIDA_PREVIOUS_MASTER_KEY_FILE=new.key"),
        "{said}"
    );
    let new_key = std::fs::read(program.folder().join("new.key")).unwrap();

    program.kill();
    program
        .restart(&[("CALEIDA_PREVIOUS_MASTER_KEY_FILE", "new.key")])
        .await;
    let (code, said) = rotate(&program);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("1 webhooks") && said.contains("run the same command again"),
        "{said}"
    );
    assert_eq!(std::fs::read(program.folder().join("new.key")).unwrap(), new_key);
    program.api().publish("first").await.unwrap();
    receiver.wait_for(1).await;

    program.kill();
    let exchanged = [
        ("CALEIDA_MASTER_KEY_FILE", "new.key"),
        ("CALEIDA_PREVIOUS_MASTER_KEY_FILE", "data/master.key"),
    ];
    program.restart(&exchanged).await;
    let (code, said) = rotate(&program);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("0 webhooks") && said.contains("from now on"),
        "{said}"
    );

    program.kill();
    let alone = program.output(&["serve"]);
    let said = String::from_utf8(alone.stderr).unwrap();
    assert_eq!(alone.status.code(), Some(2), "{said}");
    assert!(
        said.lines().count() == 1 && said.contains("CALEIDA_PREVIOUS_MASTER_KEY_FILE"),
        "{said}"
    );
    program.restart(&exchanged[..1]).await;
    program.api().publish("second").await.unwrap();
    let call = receiver.wait_for(2).await.remove(1);
    assert!(call.is_signed_with(webhook["secret"].as_str().unwrap()));
    let path = format!("webhooks/{}", webhook["id"].as_str().unwrap());
    program.api().change(Method::DELETE, &path, &json!({})).await;
}
