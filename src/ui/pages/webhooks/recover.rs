//! `/integrations/webhook/{id}/recover`: preview and recovery of events that a webhook missed.

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
            serve::{FormFeedback, Submission},
        },
        components::{
            count::pluralize,
            field::FieldError,
            form::{ActionForm, Notice, Part},
            time_ago::{ExactTime, TimeAgo},
        },
        islands::live_part::LivePart,
        layout::{document::Page, shell::Section},
        paths,
        request::{context::RequestContext, form::Form, recovery_range::recovery_range, zone::use_zone},
    },
};

/// Number of recoveries that are shown, newest first.
const MAX_RECOVERIES: u32 = 5;

/// The range of the preview.
#[derive(Deserialize)]
pub struct PreviewParams {
    scope: Option<String>,
    since: Option<String>,
}

pub async fn show(
    paths::WebhookRecover { id }: paths::WebhookRecover,
    Query(params): Query<PreviewParams>,
    ctx: RequestContext,
) -> Result<Response, PageError> {
    let form = RecoveryForm {
        id: id.to_string(),
        scope: params.scope.clone().unwrap_or_default(),
        since: params.since.unwrap_or_default(),
        ..RecoveryForm::default()
    };
    let feedback = match params.scope {
        None => FormFeedback::default(),
        Some(_) => match ctx
            .submit(preview_recovery(protocol::Form::new(form.clone())))
            .await?
        {
            Submission::Redirect(response) => return Ok(response),
            Submission::Rerender(feedback) => feedback,
        },
    };
    page(&ctx, &id, &form, feedback).await
}

/// Starts a recovery, or cancels a running one.
pub async fn change(
    paths::WebhookRecover { id }: paths::WebhookRecover,
    ctx: RequestContext,
    Form(form): Form<RecoveryForm>,
) -> Result<Response, PageError> {
    let form = RecoveryForm {
        id: id.to_string(),
        ..form
    };
    let argument = protocol::Form::new(form.clone());
    let submitted = if form.recovery.is_empty() {
        ctx.submit(start_recovery(argument)).await?
    } else {
        ctx.submit(cancel_recovery(argument)).await?
    };
    match submitted {
        Submission::Redirect(response) => Ok(response),
        Submission::Rerender(feedback) => page(&ctx, &id, &form, feedback).await,
    }
}

async fn page(
    ctx: &RequestContext,
    id: &WebhookId,
    form: &RecoveryForm,
    feedback: FormFeedback,
) -> Result<Response, PageError> {
    let webhook = ctx.webhook(id).await?;
    let account = ctx.account();
    let recoveries = account.recoveries(id, None, MAX_RECOVERIES).await?;
    let now = ctx.now;
    let range = recovery_range(&form.scope, &form.since, &ctx.preferences.zone, now);
    let invalid_since = feedback.error("since").map(|error| (form.since.clone(), error));
    let title = format!("Recover “{}”", webhook.settings.name);
    let page = Page::new(&title, Section::Webhooks)
        .with_islands()
        .with_status(feedback.status);
    let headers = feedback.headers();
    let page = ctx.render_page(page, || {
        view! { <RecoverScreen webhook range invalid_since feedback recoveries now/> }.into_any()
    });
    Ok((headers, page).into_response())
}

#[component]
fn RecoverScreen(
    webhook: Webhook,
    range: RecoveryRange,
    /// The text that was typed instead of a time, and its error.
    invalid_since: Option<(String, String)>,
    feedback: FormFeedback,
    recoveries: Vec<Recovery>,
    now: Timestamp,
) -> impl IntoView {
    let id = webhook.id.clone();
    let scopes = RecoveryScope::VARIANTS.iter().map(|&scope| {
        let (title, text) = scope_texts(scope);
        let field = format!("scope-{}", scope.as_str());
        let (label, about) = (field.clone(), format!("{field}-about"));
        view! {
            <div class="option">
                <input
                    id=field
                    type="radio"
                    name="scope"
                    value=scope.as_str()
                    checked=scope == range.scope
                    aria-describedby=about.clone()
                />
                <label for=label>{title}</label>
                <p class="quiet" id=about>{text}</p>
            </div>
        }
    });
    let not_active = matches!(webhook.status, WebhookStatus::Paused | WebhookStatus::Disabled).then(|| {
        view! {
            <p class="notice notice--warning">
                "Recovery is not possible while the webhook is paused or disabled. "
                <a href=paths::webhook(&id)>"Resume it"</a>" first."
            </p>
        }
    });
    let invalid = invalid_since.is_some();
    let (since, error) = match invalid_since {
        Some((since, error)) => (since, Some(error)),
        None => (use_zone().format_field(range.since), None),
    };
    let running = recoveries
        .iter()
        .any(|recovery| recovery.state == RecoveryState::Running);
    let live = running.then(|| view! { <LivePart/> });
    let has_filter = webhook.settings.options.filter.is_some();
    let filtered = has_filter.then_some(
        " Missed events are sent only if they match its filter. Failed and cancelled deliveries have matched before.",
    );
    view! {
        <div class="heading">
            <div>
                <p class="heading__back"><a href=paths::deliveries(Some(&id))>"Deliveries"</a></p>
                <h1>"Recover"</h1>
                <p class="heading__text">
                    "Resend what "<a href=paths::webhook(&id)>{webhook.settings.name.to_string()}</a>" missed. The recovery runs in the \
                     background, as fast as the receiver accepts the events."{filtered}
                </p>
            </div>
        </div>
        {not_active}
        <form class="card recover" method="get" action=paths::recover(&id) data-action=PreviewRecovery::PATH data-fields=format!("id={id}")>
            <Notice content=(&feedback).into()/>
            <fieldset class="recover__scopes">
                <legend>"What to recover"</legend>
                {scopes.collect_view()}
            </fieldset>
            <div class="recover__since">
                <label for="since">"Since"</label>
                <input
                    id="since"
                    name="since"
                    type=if invalid { "text" } else { "datetime-local" }
                    step="any"
                    value=since
                    required=true
                    aria-invalid=invalid.then_some("true")
                    aria-describedby="since-error"
                />
                <FieldError id="since" error/>
            </div>
            <button class="button" type="submit">"Preview"</button>
        </form>
        <Part html=feedback.part/>
        {live}
        <div id="live"><Recoveries recoveries now/></div>
    }
}

/// Returns the title and the explanation of a scope.
fn scope_texts(scope: RecoveryScope) -> (&'static str, &'static str) {
    match scope {
        RecoveryScope::Failed => ("Failed deliveries", "Deliveries without attempts left."),
        RecoveryScope::Missed => (
            "Everything missed",
            "Also cancelled and dropped deliveries, and events of the subscribed types that were received before the \
             webhook was added or while it was disabled.",
        ),
    }
}

/// The list of recoveries. It is live while one of them is running.
#[component]
fn Recoveries(recoveries: Vec<Recovery>, now: Timestamp) -> impl IntoView {
    if recoveries.is_empty() {
        return ().into_any();
    }
    let entries = recoveries.into_iter().map(|recovery| {
        let (title, _) = scope_texts(recovery.scope);
        let (webhook, id) = (recovery.webhook_id.clone(), recovery.id.clone());
        let progress = recovery.progress();
        let sent = pluralize(recovery.recovered, "delivery", "deliveries");
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
                    <strong>{title}</strong>" since "<ExactTime at=recovery.since now/>
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
