//! Data in the store, without an engine.

use caleida::{
    domain::{EndpointUrl, EventTypes, Timestamp, Transport, WebhookName, WebhookOptions, WebhookSettings},
    store::{Acceptance, Accepted, Evaluation, Leasing, Store, Submission},
};

/// Settings of a webhook for `chat`.
pub fn settings(name: &str) -> WebhookSettings {
    WebhookSettings {
        url: EndpointUrl::parse("https://example.com/", Transport::HttpsOnly).unwrap(),
        name: WebhookName::parse(name).unwrap(),
        events: EventTypes::parse(["chat"]).unwrap(),
        options: WebhookOptions::default(),
    }
}

/// Stores events of accounts without filters.
pub async fn accept_events(
    store: &Store,
    submissions: &[Submission],
    now: Timestamp,
    leasing: Leasing<'_>,
) -> Accepted {
    let evaluation = Evaluation::default();
    match store
        .accept_events(submissions, &evaluation, now, leasing)
        .await
        .unwrap()
    {
        Acceptance::Stored(accepted) => accepted,
        Acceptance::OtherFilters(accounts) => panic!("{accounts:?} have filters"),
    }
}
