//! One attempt with its request and response.

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
            code::{CodeBlock, HeaderList},
            time_ago::{ExactTime, duration},
        },
        islands::copy_button::CopyButton,
        pages::deliveries::one::curl::curl,
    },
};

/// `body` is the request body, which is the same for every attempt.
#[component]
pub fn AttemptCard(attempt: Attempt, body: String, open: bool, now: Timestamp) -> impl IntoView {
    let number = attempt.number;
    let remedy = remedy(attempt.outcome, attempt.detail.as_ref()).map(|remedy| {
        view! { <p class="remedy"><strong>"What to do: "</strong>{remedy}</p> }
    });
    let signature = signature_note(&attempt);
    let command = curl(&attempt, &body);
    let has_response = attempt.outcome.status_code().is_some();
    let detail = explanation(attempt.outcome, attempt.detail.as_ref())
        .map(|detail| view! { <p class="notice notice--bad">{detail}</p> });
    let response = has_response.then(|| {
        let text = String::from_utf8_lossy(&attempt.response_body).into_owned();
        let cut = attempt
            .response_truncated
            .then(|| view! { <p class="quiet">"Only the beginning of the response is stored."</p> });
        view! {
            <h4>"Response"</h4>
            <HeaderList headers=attempt.response_headers/>
            <CodeBlock label=format!("Response to attempt {number}") text/>
            {cut}
        }
    });
    view! {
        <details class="card attempt" open=open>
            <summary>
                <h3>{format!("Attempt {number}")}</h3>
                <ResultBadge succeeded=attempt.outcome.succeeded() label=attempt.outcome.to_string()/>
                <span class="attempt__when"><ExactTime at=attempt.started_at now/></span>
                <span class="attempt__duration">{duration(attempt.duration)}</span>
            </summary>
            <div class="attempt__record">
                {detail}
                {remedy}
                <h4>"Request"</h4>
                <p class="attempt__line"><strong>"POST "</strong><span class="address">{attempt.url}</span></p>
                <HeaderList headers=attempt.request_headers/>
                <p class="quiet">{signature}</p>
                <details class="curl copied">
                    <summary>"Copy as curl"</summary>
                    <p class="quiet">
                        "The same request, byte for byte. Receivers that check the timestamp reject it after a few minutes. To \
                         send the event with a new signature, use Resend."
                    </p>
                    <CopyButton/>
                    <pre class="inert" tabindex="0" role="region" aria-label=format!("Attempt {number} as curl")><code>{command}</code></pre>
                </details>
                {response}
            </div>
        </details>
    }
}

/// Describes the secrets that the request was signed with. Each valid secret adds a signature.
fn signature_note(attempt: &Attempt) -> &'static str {
    let header = |name: &str| {
        let mut headers = attempt.request_headers.iter();
        headers
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    };
    match header(signer::SIGNATURE_HEADER.as_str()).map(|value| value.split(' ').count()) {
        None => "Not signed.",
        Some(1) => "Signed with the webhook's secret.",
        Some(_) => "Signed with the current secret and the previous one, which was still valid.",
    }
}
