//! How the dialog looks.

use leptos::prelude::*;

use super::{
    super::{
        deliveries::health::FailingNotice,
        webhook_form::{EnterPresses, FORM, Fields, Purpose},
    },
    Edit,
    conflict::Conflict,
    secret_panel::SecretPanel,
};
use crate::{
    domain::{Timestamp, Webhook, WebhookStatus},
    ui::{
        components::{
            badge::WebhookBadge,
            count::open_deliveries,
            dialog::{CANCEL, Dialog, GetForm},
            time_ago::TimeAgo,
        },
        paths,
        query::ListQuery,
    },
};

#[component]
pub fn EditDialog(
    edit: Edit,
    held: u64,
    query: ListQuery,
    may_edit: bool,
    may_test: bool,
    now: Timestamp,
) -> impl IntoView {
    let Edit {
        webhook,
        form,
        version,
        conflict,
        secret,
        done,
    } = edit;
    let id = webhook.id.clone();
    let purpose = if may_edit { Purpose::Edit } else { Purpose::Look };
    let conflict =
        conflict.then(|| view! { <Conflict current=webhook.clone() draft=form.draft.clone() now/> });
    let done = done.map(|text| view! { <p class="notice" role="status">{text}</p> });
    let failing = webhook
        .failing_since
        .filter(|_| webhook.status == WebhookStatus::Failing);
    let failing = failing.map(|since| view! { <FailingNotice since now/> });
    let shows_secret = secret.is_some();
    let panel = may_edit
        .then(|| view! { <SecretPanel webhook=webhook.clone() shown=secret query=query.clone() now/> });
    let buttons = if may_edit {
        view! { <Buttons webhook=webhook.clone() query=query.clone()/> }.into_any()
    } else {
        view! {
            <p class="dialog__note">"Only admins may change a webhook."</p>
            <button class="button" type="submit" form=CANCEL>"Close"</button>
        }
        .into_any()
    };
    view! {
        <Dialog title="Edit Webhook" query=query.clone()>
            <Facts webhook query=query.clone() may_test now/>
            <form class="dialog__body" id=FORM method="post" action=query.on(&paths::webhook(&id)) novalidate>
                {may_edit.then(|| view! { <EnterPresses/> })}
                {done}
                {conflict}
                {failing}
                <HeldDeliveries held may_edit/>
                <input type="hidden" name="version" value=version/>
                <Fields form purpose keep_focus=shows_secret>{panel}</Fields>
            </form>
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
        view! { <span>"Last attempt "{last.summary}" · "<TimeAgo at=last.at now/></span> }
    });
    view! {
        <div class="facts">
            <WebhookBadge status=webhook.status reason=webhook.disabled_reason/>
            {last}
            <span class="facts__links">
                <a href=paths::deliveries(Some(&webhook.id))>"View deliveries"</a>
                {may_test.then(|| view! { <a href=query.on(&paths::test(&webhook.id))>"Send test event"</a> })}
            </span>
        </div>
    }
}

/// “Pause” and “Resume” post the form as well, so that what was typed is still there afterwards.
#[component]
fn Buttons(webhook: Webhook, query: ListQuery) -> impl IntoView {
    let (action, text) = match webhook.status {
        WebhookStatus::Active | WebhookStatus::Failing => (paths::pause(&webhook.id), "Pause"),
        WebhookStatus::Paused | WebhookStatus::Disabled => (paths::resume(&webhook.id), "Resume"),
    };
    view! {
        <button class="button button--danger" type="submit" form="delete">"Delete"</button>
        <button class="button" type="submit" form=FORM formaction=query.on(&action)>{text}</button>
        <span class="dialog__gap"></span>
        <button class="button" type="submit" form=CANCEL>"Cancel"</button>
        <button class="button button--primary" type="submit" form=FORM>"Save"</button>
    }
}
