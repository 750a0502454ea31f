//! `/integrations/webhook/{id}/recover`: what a webhook has missed, looked at first and then sent.

pub mod live;

use std::time::Duration;

use axum::{
    extract::Path,
    response::{Redirect, Response},
};
use leptos::prelude::*;
use url::form_urlencoded;

use super::webhook_edit::{load, parse_id};
use crate::{
    domain::{
        Recovery, RecoveryId, RecoveryScope, RecoveryState, Timestamp, Webhook, WebhookId, WebhookStatus,
    },
    store::{RecoveryPreview, RecoveryRange, Started},
    ui::{
        PageError,
        components::{
            count::counted,
            time_ago::{Moment, TimeAgo},
        },
        flash::Flash,
        form::Posted,
        islands::live_part::LivePart,
        paths,
        query::{moment, written},
        render::Page,
        shell::Section,
        visit::Visit,
        zone::use_zone,
    },
};

/// What is looked through unless somebody says otherwise.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How many recoveries are shown, newest first.
const LISTED: u32 = 5;

pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let webhook = load(&visit, &id).await?;
    let query: Vec<_> = form_urlencoded::parse(visit.query.as_bytes()).collect();
    let given = |wanted: &str| {
        let mut fields = query.iter();
        fields
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_ref())
    };
    let wanted = range(given("scope"), given("since"), visit.now);
    let preview = match given("scope") {
        Some(_) => {
            let actor = visit.actor();
            let webhooks = &visit.ui.webhooks;
            Some(webhooks.preview_recovery(&actor, &webhook.id, wanted).await?)
        }
        None => None,
    };
    let recoveries = visit
        .ui
        .store
        .recoveries(&visit.user.account_id, &webhook.id, None, LISTED)
        .await?;
    let now = visit.now;
    let title = format!("Recover “{}”", webhook.name);
    let page = Page::new(&title, Section::Webhooks).with_islands();
    Ok(visit.page(page, || {
        view! { <RecoverScreen webhook wanted preview recoveries now/> }.into_any()
    }))
}

pub async fn start(visit: Visit, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let id = parse_id(&id)?;
    let wanted = range(Some(posted.text("scope")), Some(posted.text("since")), visit.now);
    let (_, started) = visit.ui.webhooks.recover(&visit.actor(), &id, wanted).await?;
    let message = match started {
        Started::Running => "The recovery has started.",
        Started::AnotherRuns => "Nothing was started: another recovery of this webhook still runs.",
        Started::Stopped => "Nothing was started: resume the webhook first.",
        Started::NotFound => return Err(PageError::NotFound),
    };
    let flash = Flash::plain(message.to_owned());
    Ok(visit.leave(flash, &paths::recover(&id)).await)
}

pub async fn cancel(
    visit: Visit,
    Path((id, recovery)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let id = parse_id(&id)?;
    let recovery: RecoveryId = recovery.parse().map_err(|_| PageError::NotFound)?;
    let cancelled = visit
        .ui
        .webhooks
        .cancel_recovery(&visit.actor(), &id, &recovery)
        .await?;
    let message = if cancelled {
        "The recovery was cancelled."
    } else {
        "There was nothing to cancel: it had ended."
    };
    let flash = Flash::plain(message.to_owned());
    Ok(visit.leave(flash, &paths::recover(&id)).await)
}

/// People come here by GET when they had to sign in again before the form went through.
pub async fn instead(_: Visit, Path((id, _)): Path<(String, String)>) -> Result<Redirect, PageError> {
    Ok(Redirect::to(&paths::recover(&parse_id(&id)?)))
}

fn range(scope: Option<&str>, since: Option<&str>, now: Timestamp) -> RecoveryRange {
    RecoveryRange {
        scope: scope
            .and_then(RecoveryScope::parse)
            .unwrap_or(RecoveryScope::Failed),
        since: since
            .and_then(moment)
            .unwrap_or_else(|| full_minute(now.minus(DAY)))
            .min(now),
        until: now,
    }
}

/// Seconds would only make the field longer.
fn full_minute(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis().div_euclid(60_000) * 60_000)
}

#[component]
fn RecoverScreen(
    webhook: Webhook,
    wanted: RecoveryRange,
    preview: Option<RecoveryPreview>,
    recoveries: Vec<Recovery>,
    now: Timestamp,
) -> impl IntoView {
    let id = webhook.id.clone();
    let scopes = RecoveryScope::ALL.map(|scope| {
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
    let can_start = stopped.is_none();
    let preview = preview.map(|preview| view! { <Preview id=id.clone() wanted preview can_start now/> });
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
        <form class="card recover" method="get" action=paths::recover(&id)>
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
        {preview}
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

#[component]
fn Preview(
    id: WebhookId,
    wanted: RecoveryRange,
    preview: RecoveryPreview,
    can_start: bool,
    now: Timestamp,
) -> impl IntoView {
    let RecoveryPreview { count, more, first } = preview;
    let found = match (count, more) {
        (0, false) => "Nothing was missed since then.".to_owned(),
        (0, true) => {
            "Nothing was missed among the first events since then; the rest is looked through as it runs."
                .to_owned()
        }
        (n, false) => format!("{} will be sent.", counted(n, "event", "events")),
        (n, true) => format!("At least {} will be sent.", counted(n, "event", "events")),
    };
    let list = (!first.is_empty()).then(|| {
        let rows = first.into_iter().map(|event| {
            view! {
                <li>
                    <code class="event">{event.event_type.as_str()}</code>" "
                    <a href=paths::event(&event.event_id)>{event.event_id.to_string()}</a>
                    <span class="quiet">" · "<Moment at=event.received_at now/></span>
                </li>
            }
        });
        view! { <p class="quiet">"The first of them:"</p><ol class="recover__first">{rows.collect_view()}</ol> }
    });
    let start = (can_start && (count > 0 || more)).then(|| {
        view! {
            <form method="post" action=paths::recover(&id)>
                <input type="hidden" name="scope" value=wanted.scope.as_str()/>
                <input type="hidden" name="since" value=written(wanted.since)/>
                <button class="button button--primary" type="submit">"Recover"</button>
            </form>
        }
    });
    view! {
        <section class="recover__preview" aria-labelledby="preview">
            <h2 id="preview">"Preview"</h2>
            <p><strong>{found}</strong></p>
            {list}
            {start}
        </section>
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
                <form method="post" action=paths::cancel_recovery(&webhook, &id)>
                    <button class="button button--small" type="submit">"Cancel"</button>
                </form>
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
                        " · started by "{recovery.created_by}" "<TimeAgo at=recovery.created_at now/>
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
