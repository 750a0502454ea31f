//! Passes of a real gate, for tests that call the sender directly.

use std::sync::Arc;

use caleida::{
    delivery::gate::{Admission, Gate, Pass},
    domain::{
        EndpointUrl, EventTypes, Origin, Principal, Secret, Timestamp, Transport, WebhookId, WebhookName,
        WebhookOptions, WebhookSettings,
    },
    store::{self, Change, NewWebhook},
    vault::Vault,
};
use zeroize::Zeroizing;

/// Creates a webhook with this URL in a new database and enters its gate.
pub async fn pass(url: &str) -> Pass {
    let now = Timestamp::from_millis(1_795_435_200_000);
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("caleida.db").display());
    let store = store::open(&database).await.unwrap();
    let vault = Vault::new(&Zeroizing::new([7; 32]));
    let webhook_id = WebhookId::generate(now);
    let webhook = NewWebhook {
        change: Change {
            account_id: store.ensure_account("tests", now).await.unwrap(),
            webhook_id: webhook_id.clone(),
            by: Principal::Operator,
            from: Origin::CommandLine,
            at: now,
        },
        settings: WebhookSettings {
            url: EndpointUrl::parse(url, Transport::HttpAllowed).unwrap(),
            name: WebhookName::parse("Receiver").unwrap(),
            events: EventTypes::parse(["chat"]).unwrap(),
            options: WebhookOptions::default(),
        },
        secret: vault.seal(&webhook_id, &Secret::generate()),
        headers: None,
        max_webhooks: 1,
    };
    store.insert_webhook(webhook).await.unwrap();
    match Gate::new(store, Arc::new(vault))
        .enter(&webhook_id)
        .await
        .unwrap()
    {
        Admission::Admitted(pass) => pass,
        _ => panic!("a new webhook is open"),
    }
}
