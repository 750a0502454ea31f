//! One HTTP request and what came of it.

use leptos::prelude::*;

use crate::{
    delivery::signer,
    domain::{
        Attempt, Timestamp,
        remedy::{explanation, remedy},
    },
    ui::{
        components::{
            badge::ResultBadge,
            code::{CodeBlock, Headers},
            time_ago::{Moment, duration},
        },
        islands::copy_button::CopyButton,
        pages::deliveries::one::curl::curl,
    },
};

/// `body`: what was sent, the same at every attempt.
#[component]
pub fn AttemptCard(attempt: Attempt, body: String, open: bool, now: Timestamp) -> impl IntoView {
    let number = attempt.number;
    let remedy = remedy(attempt.outcome, attempt.detail.as_ref()).map(|remedy| {
        view! { <p class="remedy"><strong>"What to do: "</strong>{remedy}</p> }
    });
    let signed = signed_with(&attempt);
    let command = curl(&attempt, &body);
    let answered = attempt.outcome.status_code().is_some();
    let detail = explanation(attempt.outcome, attempt.detail.as_ref())
        .map(|detail| view! { <p class="notice notice--bad">{detail}</p> });
    let response = answered.then(|| {
        let text = String::from_utf8_lossy(&attempt.response_body).into_owned();
        let cut = attempt
            .response_truncated
            .then(|| view! { <p class="quiet">"Only its beginning is kept."</p> });
        view! {
            <h4>"Response"</h4>
            <Headers headers=attempt.response_headers/>
            <CodeBlock label=format!("Response to attempt {number}") text/>
            {cut}
        }
    });
    view! {
        <details class="card attempt" open=open>
            <summary>
                <h3>{format!("Attempt {number}")}</h3>
                <ResultBadge succeeded=attempt.outcome.succeeded() label=attempt.outcome.to_string()/>
                <span class="attempt__when"><Moment at=attempt.started_at now/></span>
                <span class="attempt__duration">{duration(attempt.duration)}</span>
            </summary>
            <div class="attempt__record">
                {detail}
                {remedy}
                <h4>"Request"</h4>
                <p class="attempt__line"><strong>"POST "</strong><span class="address">{attempt.url}</span></p>
                <Headers headers=attempt.request_headers/>
                <p class="quiet">{signed}</p>
                <details class="curl copied">
                    <summary>"As curl"</summary>
                    <p class="quiet">
                        "The same request, byte for byte. A receiver that checks the timestamp takes it for a few minutes \
                         only: to send it anew and newly signed, use Resend."
                    </p>
                    <CopyButton/>
                    <pre class="inert" tabindex="0" role="region" aria-label=format!("Attempt {number} as curl")><code>{command}</code></pre>
                </details>
                {response}
            </div>
        </details>
    }
}

/// Each secret that is valid adds a signature.
fn signed_with(attempt: &Attempt) -> &'static str {
    let header = |name: &str| {
        let mut headers = attempt.request_headers.iter();
        headers
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    };
    match header(signer::SIGNATURE_HEADER.as_str()).map(|value| value.split(' ').count()) {
        None => "It was not signed.",
        Some(1) => "Signed with the webhook's secret.",
        Some(_) => "Signed with both the new secret and the one before it, which was still valid.",
    }
}
