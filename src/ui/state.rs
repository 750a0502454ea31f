//! What every screen works with.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;

use crate::{
    api_keys::ApiKeys,
    auth::Auth,
    delivery::guard::Guard,
    domain::{Clock, RetrySchedule, Transport},
    people::People,
    store::Accounts,
    webhooks::Webhooks,
};

/// The state of the dashboard's routes. Cheap to clone.
#[derive(Clone)]
pub struct Ui {
    pub accounts: Accounts,
    pub webhooks: Webhooks,
    pub api_keys: ApiKeys,
    pub people: People,
    pub auth: Auth,
    pub guard: Arc<Guard>,
    pub clock: Arc<dyn Clock>,
    pub transport: Transport,
    pub site: Arc<Site>,
    pub terms: Arc<DeliveryPolicy>,
    /// Without a slash at its end.
    pub public_url: Arc<str>,
    /// What the API says of itself.
    pub api: Arc<OpenApi>,
    /// Ends what would otherwise go on for as long as somebody looks.
    pub stopping: CancellationToken,
}

/// What receivers can go by, as it is configured.
#[derive(Debug)]
pub struct DeliveryPolicy {
    pub schedule: RetrySchedule,
    /// For one whole exchange.
    pub timeout: Duration,
}

/// The built site's fingerprinted names, from its manifest.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Site {
    /// `/pkg/{script}.js` and `/pkg/{script}_bg.wasm`.
    pub script: String,
    /// `/pkg/{style}.css`.
    pub style: String,
}

impl FromRef<Ui> for Auth {
    fn from_ref(ui: &Ui) -> Self {
        ui.auth.clone()
    }
}
