//! The state shared by the handlers of the dashboard.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use utoipa::openapi::OpenApi;

use crate::{
    api_keys::ApiKeys,
    auth::Auth,
    delivery::guard::Guard,
    domain::{Clock, PublicUrl, RetrySchedule, Transport},
    people::People,
    store::Accounts,
    submissions::Submissions,
    webhooks::Webhooks,
};

/// State of the dashboard. Cheap to clone.
#[derive(Clone)]
pub struct Ui {
    pub accounts: Accounts,
    pub webhooks: Webhooks,
    pub api_keys: ApiKeys,
    pub people: People,
    pub submissions: Submissions,
    pub auth: Auth,
    pub guard: Arc<Guard>,
    pub clock: Arc<dyn Clock>,
    pub transport: Transport,
    pub site: Arc<Site>,
    pub delivery_policy: Arc<DeliveryPolicy>,
    /// URL of the dashboard in browsers, if it is configured.
    pub public_url: Option<PublicUrl>,
    /// URL for links if neither the configuration nor the request has one.
    pub local_url: PublicUrl,
    /// OpenAPI description of the API.
    pub api: Arc<OpenApi>,
}

/// Delivery settings that pages show.
#[derive(Debug)]
pub struct DeliveryPolicy {
    pub schedule: RetrySchedule,
    /// Timeout of a whole attempt.
    pub timeout: Duration,
    /// How long events are kept, and deliveries held.
    pub retention: Duration,
}

/// Fingerprinted file names of the site, from its manifest.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Site {
    /// Base name of `/pkg/{script}.js` and `/pkg/{script}_bg.wasm`.
    pub script: String,
    /// Base name of `/pkg/{style}.css`.
    pub style: String,
}

impl FromRef<Ui> for Auth {
    fn from_ref(ui: &Ui) -> Self {
        ui.auth.clone()
    }
}
