//! Server functions for webhooks: add, edit, pause, resume, test and delete, and the checks of single fields.

#[cfg(feature = "ssr")]
mod filter_rows;
mod form;
#[cfg(feature = "ssr")]
mod header_rows;

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {
    super::{
        once::Done,
        refusal::Reason,
        serve::{local_path_or, request_context},
    },
    crate::{
        delivery::tester::TestError,
        domain::{EndpointUrl, EventType, Webhook, WebhookId, WebhookName},
        store::HeldAction,
        ui::{
            components::{conflict::EditConflict, test_report::TestReport},
            layout::fragment::Fragment,
            paths,
            request::{context::RequestContext, flash::Flash},
        },
        webhooks::{WebhookDraft, WebhookError},
    },
    leptos::server_fn::ServerFn,
};

pub use self::form::WebhookForm;
#[cfg(feature = "ssr")]
pub use self::{
    filter_rows::{ConditionRow, FilterItem, FilterRows},
    form::RowChange,
    header_rows::{HeaderKind, HeaderRow},
};
use super::{
    outcome::{Advice, Outcome},
    protocol::{Form, FormProtocol},
    refusal::Refusal,
};

/// `Retry-After` seconds for tests, which are limited to six per minute.
#[cfg(feature = "ssr")]
const TEST_RETRY_SECONDS: u64 = 10;

/// Identifies a webhook.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct WebhookRef {
    pub id: String,
    /// Path of the page to return to.
    pub back: String,
}

/// The form “Send test event”.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize, serde::Serialize), serde(default))]
pub struct TestForm {
    pub id: String,
    pub r#type: String,
    /// Token of the rendered form.
    pub submission: String,
}

/// The value of a single field.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct FieldValue {
    pub value: String,
}

/// Adds a webhook.
#[server(prefix = "/integrations/webhook/actions", endpoint = "add", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn add_webhook(form: Form<WebhookForm>) -> Result<Outcome, Refusal> {
    let (ctx, form) = (request_context(), form.value);
    let (webhooks, actor, draft) = (ctx.ui.webhooks.clone(), ctx.actor(), form.draft());
    let change = async move {
        let (webhook, _) = webhooks.add(&actor, &draft).await?;
        // Shows the list without filters, where the new webhook is the first row.
        Ok(Done::flash(Flash::webhook(&webhook, "added"), paths::LIST))
    };
    ctx.once(AddWebhook::PATH, &form.submission, &form, change).await
}

/// Saves the settings of a webhook, including a new secret if one was entered.
#[server(prefix = "/integrations/webhook/actions", endpoint = "edit", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn edit_webhook(form: Form<WebhookForm>) -> Result<Outcome, Refusal> {
    let (ctx, form) = (request_context(), form.value);
    let id = form.id()?;
    let mut draft = form.draft();
    if !form.keep_saved.is_empty() {
        form.kept(&mut draft, &ctx.webhook(&id).await?);
    }
    match ctx
        .ui
        .webhooks
        .edit(&ctx.actor(), &id, &draft, form.version)
        .await
    {
        Ok(webhook) => Ok(ctx
            .redirect_with_flash(Flash::webhook(&webhook, "saved"), &form.back())
            .await),
        Err(WebhookError::Stale(saved)) => Err(Refusal::stale(&ctx, *saved, draft)),
        Err(error) => Err(error.into()),
    }
}

/// Deletes a webhook. When this returns, no request to its URL is in flight, and no new request will start.
#[server(prefix = "/integrations/webhook/actions", endpoint = "delete", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn delete_webhook(webhook: Form<WebhookRef>) -> Result<Outcome, Refusal> {
    let (ctx, WebhookRef { id, back }) = (request_context(), webhook.value);
    let deleted = ctx
        .ui
        .webhooks
        .delete(&ctx.actor(), &webhook_id(&id)?, None)
        .await?;
    let flash = Flash::message(format!("Webhook “{}” deleted.", deleted.name));
    Ok(ctx
        .redirect_with_flash(flash, &local_path_or(&back, paths::LIST))
        .await)
}

/// Pauses a webhook. Its deliveries are held until it is resumed.
#[server(prefix = "/integrations/webhook/actions", endpoint = "pause", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn pause_webhook(form: Form<WebhookForm>) -> Result<Outcome, Refusal> {
    let (ctx, form) = (request_context(), form.value);
    let before = ctx.webhook(&form.id()?).await?;
    let after = ctx.ui.webhooks.pause(&ctx.actor(), &before.id).await?;
    Ok(form.outcome_after(&ctx, &before, &after, "paused").await)
}

/// Resumes a webhook, and sends or drops its held deliveries.
#[server(prefix = "/integrations/webhook/actions", endpoint = "resume", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn resume_webhook(form: Form<WebhookForm>) -> Result<Outcome, Refusal> {
    let (ctx, form) = (request_context(), form.value);
    let before = ctx.webhook(&form.id()?).await?;
    let held = if form.held == "drop" {
        HeldAction::Drop
    } else {
        HeldAction::Send
    };
    let after = ctx.ui.webhooks.resume(&ctx.actor(), &before.id, held).await?;
    Ok(form.outcome_after(&ctx, &before, &after, "resumed").await)
}

/// Sends an example event to a webhook and shows the result.
#[server(prefix = "/integrations/webhook/actions", endpoint = "test", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn send_test(form: Form<TestForm>) -> Result<Outcome, Refusal> {
    let (ctx, form) = (request_context(), form.value);
    let id = webhook_id(&form.id)?;
    let event_type = form.r#type.parse().unwrap_or(EventType::Chat);
    let sender = ctx.clone();
    let change = async move {
        let test = sender.ui.webhooks.test(&sender.actor(), &id, event_type).await;
        let test = test.map_err(|error| match error {
            TestError::TooMany => Refusal {
                retry_after: Some(TEST_RETRY_SECONDS),
                ..Refusal::with_message(Reason::RateLimited, error.to_string())
            },
            TestError::NotFound => Refusal::not_found(),
            TestError::Gate(_) | TestError::Fenced => {
                tracing::error!(%error, webhook = %id, "failed to send a test event");
                Refusal::new(Reason::Unavailable)
            }
        })?;
        let (zone, urls, now) = (&sender.preferences.zone, sender.url_visibility(), sender.now);
        let report = Fragment::render(zone, || view! { <TestReport test urls now/> });
        Ok(Done::part(report, None))
    };
    ctx.once(SendTest::PATH, &form.submission, &form, change).await
}

/// Checks whether the name of a webhook is valid and not taken.
#[server(prefix = "/integrations/webhook/actions", endpoint = "check-name", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn check_name(webhook: Form<WebhookForm>) -> Result<Advice, Refusal> {
    let (ctx, form) = (request_context(), webhook.value);
    let error = match WebhookName::parse(&form.name) {
        Err(error) => Some(error.to_string()),
        Ok(name) => {
            let names = ctx.account().webhook_names().await?;
            let taken = names
                .iter()
                .any(|(id, other)| *other == name.to_string() && id.as_str() != form.id);
            taken.then(|| name.taken_message())
        }
    };
    Ok(Advice { error, advice: None })
}

/// Checks a URL. Uses POST, so that no access log contains the URL, which may include a password.
#[server(prefix = "/integrations/webhook/actions", endpoint = "check-url", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn check_url(url: Form<FieldValue>) -> Result<Advice, Refusal> {
    let ctx = request_context();
    Ok(match EndpointUrl::parse(&url.value.value, ctx.ui.transport) {
        Err(error) => Advice {
            error: Some(error.to_string()),
            advice: None,
        },
        Ok(url) => {
            let lines = ctx.ui.guard.advise(&url).await;
            let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
            Advice {
                error: None,
                advice: (!lines.is_empty()).then(|| lines.join("\n")),
            }
        }
    })
}

/// Returns the names of the saved headers.
#[cfg(feature = "ssr")]
pub fn header_names(webhook: &Webhook) -> Vec<String> {
    let names = webhook.settings.options.headers.iter();
    names.map(ToString::to_string).collect()
}

#[cfg(feature = "ssr")]
pub fn webhook_id(text: &str) -> Result<WebhookId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}

#[cfg(feature = "ssr")]
impl WebhookForm {
    /// Returns the outcome of an action other than saving. Shows the list, unless the form has unsaved changes: then the
    /// form stays open and keeps the version that the user saw.
    async fn outcome_after(
        &self,
        ctx: &RequestContext,
        before: &Webhook,
        after: &Webhook,
        action: &str,
    ) -> Outcome {
        let flash = Flash::webhook(after, action);
        if !self.is_unsaved(before) {
            return ctx.redirect_with_flash(flash, &self.back()).await;
        }
        let seen = self.version.filter(|seen| *seen != before.version);
        Outcome {
            message: Some(format!("{} Your changes below are not saved yet.", flash.message)),
            version: Some(seen.unwrap_or(after.version)),
            // Shows the same page again, because its status and buttons have changed.
            to: Some(over_list(&paths::webhook(&after.id), &self.back())),
            part: None,
            submission: None,
        }
    }
}

/// Returns the URL of a dialog over the list that `back` shows.
#[cfg(feature = "ssr")]
fn over_list(path: &str, back: &str) -> String {
    match back.split_once('?') {
        Some((_, query)) => format!("{path}?{query}"),
        None => path.to_owned(),
    }
}

#[cfg(feature = "ssr")]
impl Refusal {
    /// Returns the refusal for a conflicting change. It shows the saved values and has their version for the next attempt.
    fn stale(ctx: &RequestContext, saved: Webhook, draft: WebhookDraft) -> Self {
        let (version, now) = (saved.version, ctx.now);
        let mine = WebhookDraft::saved(&saved.settings);
        let part = Fragment::render(&ctx.preferences.zone, || {
            view! { <EditConflict by=saved.updated_by.to_string() at=saved.updated_at saved=mine yours=draft now/> }
        });
        Self {
            part: Some(part),
            version: Some(version),
            ..Self::new(Reason::Stale)
        }
    }
}
