//! Server functions for API keys.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {
    super::{once::Done, refusal::Reason, serve::request_context},
    crate::{
        api_keys::{ApiKeyDraft, CreateError},
        domain::api_key::Expiry,
        ui::{
            components::created_api_key::CreatedApiKey, layout::fragment::Fragment, paths,
            request::flash::Flash,
        },
    },
    leptos::server_fn::ServerFn,
};

use super::{
    outcome::Outcome,
    protocol::{Form, FormProtocol},
    refusal::Refusal,
};

/// The form “Add API key”.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize, serde::Serialize), serde(default))]
pub struct ApiKeyForm {
    pub name: String,
    pub scopes: Vec<String>,
    pub expiry: String,
    /// Last valid day, if `expiry` is a custom date.
    pub date: String,
    /// Token of the rendered form.
    pub submission: String,
}

/// Identifies an API key.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct ApiKeyRef {
    pub id: String,
}

/// Creates an API key and shows it. It is not shown again.
#[server(prefix = "/settings/actions", endpoint = "add-api-key", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn add_api_key(form: Form<ApiKeyForm>) -> Result<Outcome, Refusal> {
    let (ctx, form) = (request_context(), form.value);
    let (keys, actor, zone) = (ctx.ui.api_keys.clone(), ctx.actor(), ctx.preferences.zone.clone());
    let submitted = form.clone();
    let change = async move {
        let created = keys.create(&actor, &submitted.clone().draft()).await;
        let (key, text) = created.map_err(|error| submitted.refusal(error))?;
        let part = Fragment::render(&zone, || view! { <CreatedApiKey name=key.name text/> });
        Ok(Done::part(part, Some(paths::API_KEYS)))
    };
    ctx.once(AddApiKey::PATH, &form.submission, &form, change).await
}

/// Revokes an API key. When this returns, no process accepts the key.
#[server(prefix = "/settings/actions", endpoint = "revoke-api-key", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn revoke_api_key(key: Form<ApiKeyRef>) -> Result<Outcome, Refusal> {
    let ctx = request_context();
    let id = key.value.id.parse().map_err(|_| Refusal::not_found())?;
    let revoked = ctx.ui.api_keys.revoke(&ctx.actor(), &id).await?;
    let row = revoked.ok_or_else(Refusal::not_found)?;
    let flash = Flash::message(format!("API key “{}” revoked.", row.key.name));
    Ok(ctx.redirect_with_flash(flash, paths::API_KEYS).await)
}

#[cfg(feature = "ssr")]
impl ApiKeyForm {
    fn refusal(&self, error: CreateError) -> Refusal {
        let refused = match error {
            CreateError::Invalid(refused) => refused,
            CreateError::Store(error) => return error.into(),
        };
        // A custom date has its own field.
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
            refusal.with_field(name, error)
        })
    }

    fn draft(self) -> ApiKeyDraft {
        let Self {
            name,
            scopes,
            expiry,
            date,
            submission: _,
        } = self;
        ApiKeyDraft {
            name,
            scopes,
            expiry,
            date,
        }
    }
}
