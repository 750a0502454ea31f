//! `/integrations/webhook/{id}/recover`: what a webhook has missed, looked at first and then sent.

pub mod live;

use axum::response::{IntoResponse, Response};
use axum_extra::extract::Query;
use leptos::{prelude::*, server_fn::ServerFn};
use serde::Deserialize;
use strum::VariantArray;

use crate::{
    domain::{Recovery, RecoveryScope, RecoveryState, Timestamp, Webhook, WebhookId, WebhookStatus},
    store::RecoveryRange,
    ui::{
        PageError,
        actions::{
            protocol,
            recoveries::{
                CancelRecovery, PreviewRecovery, RecoveryForm, cancel_recovery, preview_recovery,
                start_recovery,
            },
            serve::{Reply, Submitted},
        },
        components::{
            count::counted,
            form::{ActionForm, Notice, Part},
            time_ago::{Moment, TimeAgo},
        },
        islands::live_part::LivePart,
        layout::{document::Page, shell::Section},
        paths,
        request::{form::Form, recovery_range::range, visit::Visit, zone::use_zone},
    },
};

/// How many recoveries are shown, newest first.
const LISTED: u32 = 5;

/// What is to be previewed.
#[derive(Deserialize)]
pub struct Wanted {
    scope: Option<String>,
    since: Option<String>,
}

pub async fn show(
    paths::WebhookRecover { id }: paths::WebhookRecover,
    Query(wanted): Query<Wanted>,
    visit: Visit,
) -> Result<Response, PageError> {
    let form = RecoveryForm {
        id: id.to_string(),
        scope: wanted.scope.clone().unwrap_or_default(),
        since: wanted.since.unwrap_or_default(),
        ..RecoveryForm::default()
    };
    let reply = match wanted.scope {
        None => Reply::default(),
        Some(_) => match visit
            .submit(preview_recovery(protocol::Form::of(form.clone())))
            .await?
        {
            Submitted::Done(response) => return Ok(response),
            Submitted::Again(reply) => reply,
        },
    };
    page(&visit, &id, &form, reply).await
}

/// Starts a recovery, or cancels the one that is named.
pub async fn change(
    paths::WebhookRecover { id }: paths::WebhookRecover,
    visit: Visit,
    Form(form): Form<RecoveryForm>,
) -> Result<Response, PageError> {
    let form = RecoveryForm {
        id: id.to_string(),
        ..form
    };
    let argument = protocol::Form::of(form.clone());
    let submitted = if form.recovery.is_empty() {
        visit.submit(start_recovery(argument)).await?
    } else {
        visit.submit(cancel_recovery(argument)).await?
    };
    match submitted {
        Submitted::Done(response) => Ok(response),
        Submitted::Again(reply) => page(&visit, &id, &form, reply).await,
    }
}

async fn page(
    visit: &Visit,
    id: &WebhookId,
    form: &RecoveryForm,
    reply: Reply,
) -> Result<Response, PageError> {
    let webhook = visit.webhook(id).await?;
    let account = visit.account();
    let recoveries = account.recoveries(id, None, LISTED).await?;
    let now = visit.now;
    let wanted = range(&form.scope, &form.since, &visit.preferences.zone, now);
    let title = format!("Recover “{}”", webhook.name);
    let page = Page::new(&title, Section::Webhooks)
        .with_islands()
        .with_status(reply.status);
    let headers = reply.headers();
    let page = visit.page(page, || {
        view! { <RecoverScreen webhook wanted reply recoveries now/> }.into_any()
    });
    Ok((headers, page).into_response())
}

#[component]
fn RecoverScreen(
    webhook: Webhook,
    wanted: RecoveryRange,
    reply: Reply,
    recoveries: Vec<Recovery>,
    now: Timestamp,
) -> impl IntoView {
    let id = webhook.id.clone();
    let scopes = RecoveryScope::VARIANTS.iter().map(|&scope| {
        let (title, text) = explain(scope);
        let field = format!("scope-{}", scope.as_str());
        let (label, about) = (field.clone(), format!("{field}-about"));
        view! {
            <div class="option">
                <input
                    id=field
                    type="radio"
                    name="scope"
                    value=scope.as_str()
                    checked=scope == wanted.scope
                    aria-describedby=about.clone()
                />
                <label for=label>{title}</label>
                <p class="quiet" id=about>{text}</p>
            </div>
        }
    });
    let stopped = matches!(webhook.status, WebhookStatus::Paused | WebhookStatus::Disabled).then(|| {
        view! {
            <p class="notice notice--warning">
                "Nothing can be recovered while the webhook is paused or disabled: "
                <a href=paths::webhook(&id)>"resume it"</a>" first."
            </p>
        }
    });
    let running = recoveries
        .iter()
        .any(|recovery| recovery.state == RecoveryState::Running);
    let live = running.then(|| view! { <LivePart/> });
    view! {
        <div class="heading">
            <div>
                <p class="heading__back"><a href=paths::deliveries(Some(&id))>"Deliveries"</a></p>
                <h1>"Recover"</h1>
                <p class="heading__text">
                    "Send again what "<a href=paths::webhook(&id)>{webhook.name.to_string()}</a>" has missed, in the \
                     background and as fast as the receiver takes it."
                </p>
            </div>
        </div>
        {stopped}
        <form class="card recover" method="get" action=paths::recover(&id) data-action=PreviewRecovery::PATH data-fields=format!("id={id}")>
            <Notice said=(&reply).into()/>
            <fieldset class="recover__scopes">
                <legend>"What"</legend>
                {scopes.collect_view()}
            </fieldset>
            <div class="recover__since">
                <label for="since">"Since"</label>
                <input id="since" name="since" type="datetime-local" step="any" value=use_zone().field(wanted.since) required=true/>
            </div>
            <button class="button" type="submit">"Preview"</button>
        </form>
        <Part html=reply.part/>
        {live}
        <div id="live"><Recoveries recoveries now/></div>
    }
}

fn explain(scope: RecoveryScope) -> (&'static str, &'static str) {
    match scope {
        RecoveryScope::Failed => ("Failed deliveries", "Those that have no attempt left."),
        RecoveryScope::Missed => (
            "Everything missed",
            "Also what was cancelled or dropped, and events of the types that it wants now which it never got: from \
             before it was added, or from while it was disabled.",
        ),
    }
}

/// What is kept up to date while one of them runs.
#[component]
fn Recoveries(recoveries: Vec<Recovery>, now: Timestamp) -> impl IntoView {
    if recoveries.is_empty() {
        return ().into_any();
    }
    let entries = recoveries.into_iter().map(|recovery| {
        let (title, _) = explain(recovery.scope);
        let (webhook, id) = (recovery.webhook_id.clone(), recovery.id.clone());
        let progress = recovery.progress();
        let sent = counted(recovery.recovered, "delivery", "deliveries");
        let label = format!("Progress: {progress} %");
        let state = match recovery.state {
            RecoveryState::Running => view! {
                <progress max="100" value=progress aria-label=label></progress>
                <span>{format!("{progress} %, {sent} so far")}</span>
                <ActionForm page=paths::recover(&webhook) function=CancelRecovery::PATH>
                    <input type="hidden" name="id" value=webhook.to_string()/>
                    <input type="hidden" name="recovery" value=id.to_string()/>
                    <button class="button button--small" type="submit">"Cancel"</button>
                </ActionForm>
            }
            .into_any(),
            RecoveryState::Done => view! { <span>{format!("Done: {sent}")}</span> }.into_any(),
            RecoveryState::Cancelled => view! { <span>{format!("Cancelled after {sent}")}</span> }.into_any(),
        };
        view! {
            <li class="card recovery">
                <p>
                    <strong>{title}</strong>" since "<Moment at=recovery.since now/>
                    <span class="quiet">
                        " · started by "{recovery.created_by.to_string()}" "<TimeAgo at=recovery.created_at now/>
                    </span>
                </p>
                <div class="recovery__state">{state}</div>
            </li>
        }
    });
    view! {
        <section class="recover__preview" aria-labelledby="recoveries">
            <h2 id="recoveries">"Recoveries"</h2>
            <ul class="recoveries">{entries.collect_view()}</ul>
        </section>
    }
    .into_any()
}
