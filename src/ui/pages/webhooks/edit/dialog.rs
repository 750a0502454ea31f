//! The view of the dialog.

use std::sync::Arc;

use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    super::{
        form::{DefaultSubmit, FORM, Fields, FormMode, FormState},
        held::{Held, HeldChoice},
    },
    secret_panel::SecretPanel,
};
use crate::{
    domain::{Timestamp, Webhook, WebhookStatus, delivery_settings::RateLimit},
    store::OpenDeliveries,
    ui::{
        actions::webhooks::{EditWebhook, PauseWebhook, ResumeWebhook, WebhookForm},
        components::{
            badge::WebhookBadge,
            count::format_number,
            dialog::{CANCEL_FORM, Dialog, GetForm},
            failing_notice::FailingNotice,
            form::{ActionForm, FormButton},
            time_ago::TimeAgo,
        },
        paths,
        request::query::ListQuery,
        state::DeliveryPolicy,
    },
};

#[component]
pub fn EditDialog(
    webhook: Webhook,
    form: WebhookForm,
    state: FormState,
    policy: Arc<DeliveryPolicy>,
    held: Option<Held>,
    /// Number of deliveries that wait because of the rate limit.
    waiting: u64,
    query: ListQuery,
    may_edit: bool,
    may_test: bool,
    now: Timestamp,
) -> impl IntoView {
    let id = webhook.id.clone();
    let mode = if may_edit {
        FormMode::Edit
    } else {
        FormMode::ReadOnly
    };
    let failing = webhook
        .failing
        .map(|series| view! { <FailingNotice series now/> });
    let (notice, shown) = ((&state.feedback).into(), state.feedback.part.clone());
    let has_secret = shown.is_some();
    let previous_until = webhook.previous_secret_until;
    let panel = may_edit.then(|| view! { <SecretPanel previous_until shown now/> });
    let buttons = if may_edit {
        view! { <Buttons status=webhook.status/> }.into_any()
    } else {
        view! {
            <p class="dialog__note">"Only admins can edit webhooks."</p>
            <button class="button" type="submit" form=CANCEL_FORM>"Close"</button>
        }
        .into_any()
    };
    let (page, back) = (query.href(&paths::webhook(&id)), query.href(paths::LIST));
    let (webhook_id, version) = (id.to_string(), form.version);
    view! {
        <Dialog title="Edit Webhook" query=query.clone()>
            <Facts webhook waiting query=query.clone() may_test now/>
            <ActionForm class="dialog__body" id=FORM page function=EditWebhook::PATH notice>
                {may_edit.then(|| view! { <DefaultSubmit/> })}
                {failing}
                {held.map(|held| view! { <HeldChoice held may_edit now/> })}
                <input type="hidden" name="id" value=webhook_id/>
                <input type="hidden" name="version" value=version/>
                <input type="hidden" name="back" value=back/>
                <Fields form state policy mode keep_focus=has_secret>{panel}</Fields>
            </ActionForm>
            <div class="dialog__buttons">{buttons}</div>
            <GetForm id="delete" action=paths::delete(&id) query/>
        </Dialog>
    }
}

/// The status, the last attempt and links.
#[component]
fn Facts(webhook: Webhook, waiting: u64, query: ListQuery, may_test: bool, now: Timestamp) -> impl IntoView {
    let status = view! { <WebhookBadge webhook=&webhook now/> };
    let last = webhook.last_attempt.map(|last| {
        view! { <span>"Last attempt "{last.outcome.to_string()}" · "<TimeAgo at=last.at now/></span> }
    });
    let limit = webhook.settings.options.rate_limit;
    let limit = limit.map(|limit| view! { <span>{limited(limit, waiting)}</span> });
    let test = query.href(&paths::test(&webhook.id));
    view! {
        <div class="facts">
            {status}
            {last}
            {limit}
            <span class="facts__links">
                <a href=paths::deliveries(Some(&webhook.id))>"View deliveries"</a>
                {may_test.then(|| view! { <a href=test data-soft>"Send test event"</a> })}
            </span>
        </div>
    }
}

/// Describes the effect of a rate limit: `Limited to 10 per second, 34 waiting`.
fn limited(limit: RateLimit, waiting: u64) -> String {
    let limit = format_number(limit.get().into());
    let waiting = if waiting > OpenDeliveries::COUNT_LIMIT {
        format!("more than {}", format_number(OpenDeliveries::COUNT_LIMIT))
    } else {
        format_number(waiting)
    };
    format!("Limited to {limit} per second, {waiting} waiting")
}

/// “Pause” and “Resume” submit the form too, so that unsaved edits are kept.
#[component]
fn Buttons(status: WebhookStatus) -> impl IntoView {
    let pauses = !matches!(status, WebhookStatus::Paused | WebhookStatus::Disabled);
    let (function, value, text) = if pauses {
        (PauseWebhook::PATH, "pause", "Pause")
    } else {
        (ResumeWebhook::PATH, "resume", "Resume")
    };
    view! {
        <button class="button button--danger" type="submit" form="delete">"Delete"</button>
        <FormButton function value class="button" form=FORM>{text}</FormButton>
        <span class="dialog__gap"></span>
        <button class="button" type="submit" form=CANCEL_FORM>"Cancel"</button>
        <button class="button button--primary" type="submit" form=FORM>"Save"</button>
    }
}
