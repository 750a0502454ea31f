//! What came of a test event.

use std::time::Duration;

use leptos::prelude::*;

use super::{
    badge::ResultBadge,
    code::{CodeBlock, Headers},
    time_ago::{Moment, TimeAgo, duration},
};
use crate::{
    delivery::{
        sender::{Certificate, Timings},
        tester::Test,
    },
    domain::{
        Timestamp,
        remedy::{explanation, remedy},
    },
};

#[component]
pub fn TestReport(test: Test, now: Timestamp) -> impl IntoView {
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
    let remedy = remedy(exchange.outcome, exchange.detail.as_ref()).map(|remedy| {
        view! { <p class="remedy"><strong>"What to do: "</strong>{remedy}</p> }
    });
    let detail = explanation(exchange.outcome, exchange.detail.as_ref())
        .map(|detail| view! { <p class="notice notice--bad">{detail}</p> });
    let response = exchange.outcome.status_code().map(|_| {
        let text = String::from_utf8_lossy(&exchange.response_body).into_owned();
        let cut = exchange
            .response_truncated
            .then(|| view! { <p class="quiet">"Only its beginning is kept."</p> });
        view! {
            <h3>"Response"</h3>
            <Headers headers=exchange.response_headers/>
            <CodeBlock label="Response to the test" text/>
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
        <CodeBlock label="Body of the test" text=String::from_utf8_lossy(&body).into_owned()/>
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
