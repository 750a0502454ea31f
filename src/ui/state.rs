//! What every screen works with.

use std::sync::Arc;

use axum::extract::FromRef;
use tokio_util::sync::CancellationToken;

use crate::{
    api_keys::ApiKeys,
    auth::Auth,
    delivery::guard::Guard,
    domain::{Clock, Transport},
    store::Store,
    webhooks::Webhooks,
};

/// The state of the dashboard's routes. Cheap to clone.
#[derive(Clone)]
pub struct Ui {
    pub store: Arc<dyn Store>,
    pub webhooks: Webhooks,
    pub api_keys: ApiKeys,
    pub auth: Auth,
    pub guard: Arc<Guard>,
    pub clock: Arc<dyn Clock>,
    pub transport: Transport,
    pub site: Arc<Site>,
    /// Ends what would otherwise go on for as long as somebody looks.
    pub stopping: CancellationToken,
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
