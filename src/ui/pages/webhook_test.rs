//! `/integrations/webhook/{id}/test`: the dialog “Send test event”, and what came of it.

use std::time::Duration;

use axum::{extract::Path, http::StatusCode, response::Response};
use leptos::prelude::*;
use url::form_urlencoded;

use super::{
    delivery::{Headers, Inert},
    webhook_edit::load,
    webhooks::show_under,
};
use crate::{
    delivery::{
        sender::{Certificate, Timings},
        tester::{Test, TestError},
    },
    domain::{EventType, Timestamp, Webhook, remedy::remedy},
    ui::{
        PageError,
        components::{
            badge::ResultBadge,
            dialog::{CANCEL, Dialog},
            select::Select,
            time_ago::{Moment, TimeAgo, duration},
        },
        form::Posted,
        paths,
        query::ListQuery,
        visit::Visit,
    },
};

pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let webhook = load(&visit, &id).await?;
    let mut fields = form_urlencoded::parse(visit.query.as_bytes());
    let asked = fields.find(|(name, _)| name == "type");
    let asked = asked.and_then(|(_, event_type)| event_type.parse().ok());
    let own = || webhook.events.iter().next().unwrap_or(EventType::Chat);
    let chosen = asked.unwrap_or_else(own);
    Ok(answer(&visit, webhook, chosen, None, StatusCode::OK).await)
}

pub async fn send(visit: Visit, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let webhook = load(&visit, &id).await?;
    let event_type = posted.text("type").parse().unwrap_or(EventType::Chat);
    let tested = visit
        .ui
        .webhooks
        .test(&visit.actor(), &webhook.id, event_type)
        .await;
    let (status, result) = match tested {
        Ok(test) => (StatusCode::OK, Ok(Box::new(test))),
        Err(error @ TestError::TooMany) => (StatusCode::TOO_MANY_REQUESTS, Err(error.to_string())),
        Err(TestError::NotFound) => return Err(PageError::NotFound),
        Err(error @ (TestError::Gate(_) | TestError::Fenced)) => {
            tracing::error!(%error, webhook = %webhook.id, "a test could not be sent");
            return Err(PageError::Unavailable);
        }
    };
    Ok(answer(&visit, webhook, event_type, Some(result), status).await)
}

type TestResult = Result<Box<Test>, String>;

async fn answer(
    visit: &Visit,
    webhook: Webhook,
    chosen: EventType,
    result: Option<TestResult>,
    status: StatusCode,
) -> Response {
    let now = visit.now;
    let dialog = |query| view! { <TestDialog webhook chosen result query now/> }.into_any();
    show_under(visit, "Send test event", status, dialog).await
}

#[component]
fn TestDialog(
    webhook: Webhook,
    chosen: EventType,
    result: Option<TestResult>,
    query: ListQuery,
    now: Timestamp,
) -> impl IntoView {
    let types = EventType::ALL.map(|event| (event.to_string(), event.to_string()));
    let result = result.map(|result| match result {
        Ok(test) => view! { <TestReport test=*test now/> }.into_any(),
        Err(refused) => view! { <p class="notice notice--bad" role="alert">{refused}</p> }.into_any(),
    });
    view! {
        <Dialog title="Send test event" query=query.clone()>
            <div class="dialog__body test">
                <p>
                    "An example goes to "<a href=query.on(&paths::webhook(&webhook.id))>{webhook.name.to_string()}</a>
                    " at once, signed like every event: "<span class="address">{webhook.url.to_string()}</span>
                </p>
                <form class="test__form" id="test" method="post" action=query.on(&paths::test(&webhook.id))>
                    <Select id="test-type" name="type" label="Event type" choices=types.to_vec() chosen=chosen.as_str()/>
                    <button class="button button--primary" type="submit" autofocus=true>"Send test event"</button>
                </form>
                {result}
            </div>
            <div class="dialog__buttons">
                <span class="dialog__gap"></span>
                <button class="button" type="submit" form=CANCEL>"Close"</button>
            </div>
        </Dialog>
    }
}

#[component]
fn TestReport(test: Test, now: Timestamp) -> impl IntoView {
    let Test {
        at: _,
        url,
        request_headers,
        body,
        probe,
    } = test;
    let exchange = probe.exchange;
    let succeeded = exchange.outcome.succeeded();
    let verdict = if succeeded {
        "The receiver took it."
    } else if exchange.outcome.status_code().is_some() {
        "The receiver answered, but did not take it."
    } else {
        "There was no answer."
    };
    let remedy = remedy(exchange.outcome, exchange.detail.as_deref()).map(|remedy| {
        view! { <p class="remedy"><strong>"What to do: "</strong>{remedy}</p> }
    });
    let detail = exchange
        .detail
        .map(|detail| view! { <p class="notice notice--bad">{detail}</p> });
    let response = exchange.outcome.status_code().map(|_| {
        let text = String::from_utf8_lossy(&exchange.response_body).into_owned();
        let cut = exchange
            .response_truncated
            .then(|| view! { <p class="quiet">"Only its beginning is kept."</p> });
        view! {
            <h3>"Response"</h3>
            <Headers headers=exchange.response_headers/>
            <Inert label="Response to the test" text/>
            {cut}
        }
    });
    view! {
        <div class="test__verdict" role="status">
            <ResultBadge succeeded label=exchange.outcome.to_string()/>
            <strong>{verdict}</strong>
        </div>
        {detail}
        {remedy}
        <Steps timings=probe.timings/>
        {probe.certificate.map(|certificate| view! { <CertificateFacts certificate now/> })}
        {response}
        <h3>"Request"</h3>
        <p class="attempt__line"><strong>"POST "</strong><span class="address">{url}</span></p>
        <Headers headers=request_headers/>
        <Inert label="Body of the test" text=String::from_utf8_lossy(&body).into_owned()/>
    }
}

/// How long each step took, as far as it came.
#[component]
fn Steps(timings: Timings) -> impl IntoView {
    let steps = [
        ("DNS", timings.dns),
        ("Connect", timings.connect),
        ("TLS", timings.tls),
        ("First byte", timings.first_byte),
        ("Total", Some(timings.total)),
    ];
    let steps = steps
        .into_iter()
        .filter_map(|(name, took): (_, Option<Duration>)| {
            let took = took?;
            Some(view! { <div><dt>{name}</dt><dd>{precise(took)}</dd></div> })
        });
    view! {
        <h3 id="steps">"Time"</h3>
        <dl class="steps" aria-labelledby="steps">{steps.collect_view()}</dl>
    }
}

/// `0.4 ms`: what a step takes is often less than one.
fn precise(took: Duration) -> String {
    if took < Duration::from_millis(10) {
        format!("{:.1} ms", took.as_secs_f64() * 1_000.0)
    } else {
        duration(took)
    }
}

#[component]
fn CertificateFacts(certificate: Certificate, now: Timestamp) -> impl IntoView {
    view! {
        <h3>"Certificate"</h3>
        <dl class="definitions">
            <dt>"For"</dt>
            <dd class="address">{certificate.names.join(", ")}</dd>
            <dt>"Issued by"</dt>
            <dd>{certificate.issuer}</dd>
            <dt>"Valid until"</dt>
            <dd><Moment at=certificate.not_after now/>" ("<TimeAgo at=certificate.not_after now/>")"</dd>
            <dt>"Protocol"</dt>
            <dd>{certificate.protocol}</dd>
        </dl>
    }
}
