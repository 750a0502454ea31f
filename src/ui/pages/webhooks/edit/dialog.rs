//! How the dialog looks.

use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    super::form::{EnterPresses, FORM, Fields, Purpose},
    secret_panel::SecretPanel,
};
use crate::{
    domain::{Timestamp, Webhook, WebhookStatus},
    ui::{
        actions::{
            serve::Reply,
            webhooks::{EditWebhook, PauseWebhook, ResumeWebhook, WebhookForm},
        },
        components::{
            badge::WebhookBadge,
            count::open_deliveries,
            dialog::{CANCEL, Dialog, GetForm},
            failing_notice::FailingNotice,
            form::{ActionForm, FormButton},
            time_ago::TimeAgo,
        },
        paths,
        request::query::ListQuery,
    },
};

#[component]
pub fn EditDialog(
    webhook: Webhook,
    form: WebhookForm,
    reply: Reply,
    held: u64,
    query: ListQuery,
    may_edit: bool,
    may_test: bool,
    now: Timestamp,
) -> impl IntoView {
    let id = webhook.id.clone();
    let purpose = if may_edit { Purpose::Edit } else { Purpose::Look };
    let failing = webhook
        .failing_since
        .filter(|_| webhook.status == WebhookStatus::Failing);
    let failing = failing.map(|since| view! { <FailingNotice since now/> });
    let (said, shown) = ((&reply).into(), reply.part.clone());
    let shows_secret = shown.is_some();
    let previous_until = webhook.previous_secret_until;
    let panel = may_edit.then(|| view! { <SecretPanel previous_until shown now/> });
    let buttons = if may_edit {
        view! { <Buttons status=webhook.status/> }.into_any()
    } else {
        view! {
            <p class="dialog__note">"Only admins may change a webhook."</p>
            <button class="button" type="submit" form=CANCEL>"Close"</button>
        }
        .into_any()
    };
    let (page, back) = (query.on(&paths::webhook(&id)), query.on(paths::LIST));
    let (own_id, version) = (id.to_string(), form.version);
    view! {
        <Dialog title="Edit Webhook" query=query.clone()>
            <Facts webhook query=query.clone() may_test now/>
            <ActionForm class="dialog__body" id=FORM page function=EditWebhook::PATH reply=said>
                {may_edit.then(|| view! { <EnterPresses/> })}
                {failing}
                <HeldDeliveries held may_edit/>
                <input type="hidden" name="id" value=own_id/>
                <input type="hidden" name="version" value=version/>
                <input type="hidden" name="back" value=back/>
                <Fields form reply purpose keep_focus=shows_secret>{panel}</Fields>
            </ActionForm>
            <div class="dialog__buttons">{buttons}</div>
            <GetForm id="delete" action=paths::delete(&id) query/>
        </Dialog>
    }
}

/// What a paused webhook holds, and what is to become of that when it is resumed.
#[component]
fn HeldDeliveries(held: u64, may_edit: bool) -> impl IntoView {
    if held == 0 {
        return ().into_any();
    }
    let are = if held == 1 { "is" } else { "are" };
    let text = format!("Paused: {} {are} held.", open_deliveries(held));
    if !may_edit {
        return view! { <p class="notice notice--warning">{text}</p> }.into_any();
    }
    view! {
        <fieldset class="notice notice--warning held">
            <legend class="held__text">{text}" When it is resumed:"</legend>
            <div class="held__choice">
                <input id="held-send" type="radio" name="held" value="send" checked=true/>
                <label for="held-send">"Send them"</label>
            </div>
            <div class="held__choice">
                <input id="held-drop" type="radio" name="held" value="drop"/>
                <label for="held-drop">"Drop them"</label>
            </div>
        </fieldset>
    }
    .into_any()
}

/// Where it stands, and the way to its log.
#[component]
fn Facts(webhook: Webhook, query: ListQuery, may_test: bool, now: Timestamp) -> impl IntoView {
    let last = webhook.last_attempt.map(|last| {
        view! { <span>"Last attempt "{last.outcome.to_string()}" · "<TimeAgo at=last.at now/></span> }
    });
    let test = query.on(&paths::test(&webhook.id));
    view! {
        <div class="facts">
            <WebhookBadge status=webhook.status reason=webhook.disabled_reason/>
            {last}
            <span class="facts__links">
                <a href=paths::deliveries(Some(&webhook.id))>"View deliveries"</a>
                {may_test.then(|| view! { <a href=test data-soft>"Send test event"</a> })}
            </span>
        </div>
    }
}

/// “Pause” and “Resume” submit the form as well, so that what was typed is still there afterwards.
#[component]
fn Buttons(status: WebhookStatus) -> impl IntoView {
    let pauses = matches!(status, WebhookStatus::Active | WebhookStatus::Failing);
    let (function, value, text) = if pauses {
        (PauseWebhook::PATH, "pause", "Pause")
    } else {
        (ResumeWebhook::PATH, "resume", "Resume")
    };
    view! {
        <button class="button button--danger" type="submit" form="delete">"Delete"</button>
        <FormButton function value class="button" form=FORM>{text}</FormButton>
        <span class="dialog__gap"></span>
        <button class="button" type="submit" form=CANCEL>"Cancel"</button>
        <button class="button button--primary" type="submit" form=FORM>"Save"</button>
    }
}
