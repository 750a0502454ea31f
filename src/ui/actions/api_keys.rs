//! Adding and revoking API keys.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {
    super::{refusal::Reason, serve::visit},
    crate::{
        api_keys::{CreateError, Draft},
        domain::api_key::Expiry,
        ui::{
            components::api_key_made::ApiKeyMade, layout::fragment::Fragment, paths, request::flash::Flash,
        },
    },
};

use super::{
    outcome::Outcome,
    protocol::{Call, Form},
    refusal::Refusal,
};

/// The form of a key.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct ApiKeyForm {
    pub name: String,
    pub scopes: Vec<String>,
    pub expiry: String,
    /// The last day, if the expiry is a date.
    pub date: String,
}

/// Names a key.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct ApiKeyRef {
    pub id: String,
}

/// Makes a key, and shows its text for the only time.
#[server(prefix = "/settings/actions", endpoint = "add-api-key", protocol = Call, input_derive = (Clone,))]
pub async fn add_api_key(form: Form<ApiKeyForm>) -> Result<Outcome, Refusal> {
    let visit = visit();
    let (key, text) = visit
        .ui
        .api_keys
        .create(&visit.actor(), &form.value.clone().draft())
        .await
        .map_err(|error| form.value.refused(error))?;
    let part = Fragment::render(
        &visit.preferences.zone,
        || view! { <ApiKeyMade name=key.name text/> },
    );
    Ok(Outcome {
        part: Some(part),
        ..Outcome::to(paths::API_KEYS)
    })
}

/// Revokes a key: when this returns, no process accepts it any more.
#[server(prefix = "/settings/actions", endpoint = "revoke-api-key", protocol = Call, input_derive = (Clone,))]
pub async fn revoke_api_key(key: Form<ApiKeyRef>) -> Result<Outcome, Refusal> {
    let visit = visit();
    let id = key.value.id.parse().map_err(|_| Refusal::not_found())?;
    let revoked = visit.ui.api_keys.revoke(&visit.actor(), &id).await?;
    let row = revoked.ok_or_else(Refusal::not_found)?;
    let flash = Flash::plain(format!("API key “{}” revoked.", row.key.name));
    Ok(visit.done(flash, paths::API_KEYS).await)
}

#[cfg(feature = "ssr")]
impl ApiKeyForm {
    fn refused(&self, error: CreateError) -> Refusal {
        let refused = match error {
            CreateError::Invalid(refused) => refused,
            CreateError::Store(error) => return error.into(),
        };
        // The last day has a field of its own.
        let expiry = if self.expiry == Expiry::Date.value() {
            "date"
        } else {
            "expiry"
        };
        let fields = [
            ("name", refused.name),
            ("scopes", refused.scopes),
            (expiry, refused.expiry),
        ];
        let fields = fields
            .into_iter()
            .filter_map(|(name, error)| Some((name, error?)));
        fields.fold(Refusal::new(Reason::Invalid), |refusal, (name, error)| {
            refusal.and_field(name, error)
        })
    }

    fn draft(self) -> Draft {
        let Self {
            name,
            scopes,
            expiry,
            date,
        } = self;
        Draft {
            name,
            scopes,
            expiry,
            date,
        }
    }
}
