//! The result of a test event.

use std::time::Duration;

use leptos::prelude::*;

use super::{
    badge::ResultBadge,
    code::{CodeBlock, HeaderList},
    time_ago::{ExactTime, TimeAgo, duration},
};
use crate::{
    delivery::{
        sender::{Certificate, Timings},
        tester::TestResult,
    },
    domain::{
        Timestamp, UrlVisibility,
        remedy::{explanation, remedy},
    },
};

#[component]
pub fn TestReport(test: TestResult, urls: UrlVisibility, now: Timestamp) -> impl IntoView {
    let (url, test) = test.shown(urls);
    let TestResult {
        at: _,
        url: _,
        request_headers,
        body,
        probe,
    } = test;
    let exchange = probe.exchange;
    let succeeded = exchange.outcome.succeeded();
    let verdict = if succeeded {
        "The receiver accepted the event."
    } else if exchange.outcome.status_code().is_some() {
        "The receiver responded, but did not accept the event."
    } else {
        "The receiver did not respond."
    };
    let remedy = remedy(exchange.outcome, exchange.detail.as_ref()).map(|remedy| {
        view! { <p class="remedy"><strong>"What to do: "</strong>{remedy}</p> }
    });
    let detail = explanation(exchange.outcome, exchange.detail.as_ref())
        .map(|detail| view! { <p class="notice notice--bad">{detail}</p> });
    let response = exchange.outcome.status_code().map(|_| {
        let text = String::from_utf8_lossy(&exchange.response_body).into_owned();
        let cut = exchange
            .response_truncated
            .then(|| view! { <p class="quiet">"Only the beginning of the response is stored."</p> });
        view! {
            <h3>"Response"</h3>
            <HeaderList headers=exchange.response_headers/>
            <CodeBlock label="Response to the test event" text/>
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
        <HeaderList headers=request_headers/>
        <CodeBlock label="Body of the test event" text=String::from_utf8_lossy(&body).into_owned()/>
    }
}

/// The duration of each step that was reached.
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
        .filter_map(|(name, elapsed): (_, Option<Duration>)| {
            let elapsed = elapsed?;
            Some(view! { <div><dt>{name}</dt><dd>{step_duration(elapsed)}</dd></div> })
        });
    view! {
        <h3 id="steps">"Timing"</h3>
        <dl class="steps" aria-labelledby="steps">{steps.collect_view()}</dl>
    }
}

/// Formats a duration with a decimal below 10 ms, because many steps take less than 1 ms: `0.4 ms`.
fn step_duration(elapsed: Duration) -> String {
    if elapsed < Duration::from_millis(10) {
        format!("{:.1} ms", elapsed.as_secs_f64() * 1_000.0)
    } else {
        duration(elapsed)
    }
}

#[component]
fn CertificateFacts(certificate: Certificate, now: Timestamp) -> impl IntoView {
    view! {
        <h3>"Certificate"</h3>
        <dl class="definitions">
            <dt>"Issued to"</dt>
            <dd class="address">{certificate.names.join(", ")}</dd>
            <dt>"Issued by"</dt>
            <dd>{certificate.issuer}</dd>
            <dt>"Valid until"</dt>
            <dd><ExactTime at=certificate.not_after now/>" ("<TimeAgo at=certificate.not_after now/>")"</dd>
            <dt>"Protocol"</dt>
            <dd>{certificate.protocol}</dd>
        </dl>
    }
}
