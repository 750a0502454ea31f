//! How the dialog looks.

use leptos::prelude::*;

use super::{
    super::webhook_form::{EnterPresses, FORM, Fields, Purpose},
    Edit,
    conflict::Conflict,
    secret_panel::SecretPanel,
};
use crate::{
    domain::{Timestamp, Webhook, WebhookStatus},
    ui::{
        components::{
            badge::WebhookBadge,
            dialog::{CANCEL, Dialog, GetForm},
            time_ago::TimeAgo,
        },
        paths,
        query::ListQuery,
    },
};

#[component]
pub fn EditDialog(edit: Edit, query: ListQuery, may_edit: bool, now: Timestamp) -> impl IntoView {
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
            <Facts webhook now/>
            <form class="dialog__body" id=FORM method="post" action=query.on(&paths::webhook(&id)) novalidate>
                {may_edit.then(|| view! { <EnterPresses/> })}
                {done}
                {conflict}
                <input type="hidden" name="version" value=version/>
                <Fields form purpose keep_focus=shows_secret>{panel}</Fields>
            </form>
            <div class="dialog__buttons">{buttons}</div>
            <GetForm id="delete" action=paths::delete(&id) query/>
        </Dialog>
    }
}

/// Where it stands, and the way to its log.
#[component]
fn Facts(webhook: Webhook, now: Timestamp) -> impl IntoView {
    let failing = webhook
        .failing_since
        .filter(|_| webhook.status == WebhookStatus::Failing);
    let failing = failing.map(|since| view! { <span>"No success since "<TimeAgo at=since now/></span> });
    let last = webhook.last_attempt.map(|last| {
        view! { <span>"Last attempt "{last.summary}" · "<TimeAgo at=last.at now/></span> }
    });
    view! {
        <div class="facts">
            <WebhookBadge status=webhook.status reason=webhook.disabled_reason/>
            {failing}
            {last}
            <a href=paths::deliveries(Some(&webhook.id))>"View deliveries"</a>
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
