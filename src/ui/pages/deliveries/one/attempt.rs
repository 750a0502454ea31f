//! One attempt with its request and response.

use axum::response::Response;
use leptos::prelude::*;

use crate::{
    delivery::signer,
    domain::{
        Attempt, DeliveryId, Timestamp, UrlVisibility,
        remedy::{explanation, remedy},
    },
    ui::{
        PageError,
        components::{
            badge::ResultBadge,
            code::{HeaderList, LongCodeBlock},
            time_ago::{ExactTime, duration},
        },
        islands::copy_button::CopyButton,
        layout::plain_text::plain_text,
        pages::deliveries::one::curl::{RequestBody, curl},
        paths,
        request::context::RequestContext,
    },
};

/// Number of bytes of a response that a page shows for each attempt.
const SHOWN_RESPONSE: usize = 2 * 1024;

/// Maximum total length of the response headers that a page shows for each attempt.
const MAX_SHOWN_HEADERS: usize = 4 * 1024;

/// Returns the response to an attempt, by default to the newest: status, headers and the stored part of the body.
pub async fn show_response(
    paths::DeliveryResponse { id }: paths::DeliveryResponse,
    ctx: RequestContext,
) -> Result<Response, PageError> {
    let number = match ctx.parameter("attempt") {
        Some(number) => Some(number.parse().map_err(|_| PageError::NotFound)?),
        None => None,
    };
    let attempt = ctx.account().attempt(&id, number).await?;
    let attempt = attempt.ok_or(PageError::NotFound)?;
    let (_, attempt) = attempt.shown(ctx.url_visibility());
    let mut text = format!("{}\n", attempt.outcome);
    for (name, value) in &attempt.response_headers {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push('\n');
    text.push_str(&String::from_utf8_lossy(&attempt.response_body));
    Ok(plain_text(text))
}

#[component]
pub fn AttemptCard(
    delivery: DeliveryId,
    attempt: Attempt,
    body: RequestBody,
    open: bool,
    urls: UrlVisibility,
    now: Timestamp,
) -> impl IntoView {
    let (url, attempt) = attempt.shown(urls);
    let number = attempt.number;
    let remedy = remedy(attempt.outcome, attempt.detail.as_ref()).map(|remedy| {
        view! { <p class="remedy"><strong>"What to do: "</strong>{remedy}</p> }
    });
    let signature = signature_note(&attempt);
    let command = curl(&url, &attempt.request_headers, &body);
    let has_response = attempt.outcome.status_code().is_some();
    let detail = explanation(attempt.outcome, attempt.detail.as_ref())
        .map(|detail| view! { <p class="notice notice--bad">{detail}</p> });
    let response = has_response.then(|| {
        let whole = paths::attempt_response(&delivery, number);
        let cut = attempt
            .response_truncated
            .then(|| view! { <p class="quiet">"Only the beginning of the response is stored."</p> });
        let (headers, hidden) = shown_headers(attempt.response_headers);
        let more = (hidden > 0).then(|| {
            let text = match hidden {
                1 => "1 more header. ".to_owned(),
                n => format!("{n} more headers. "),
            };
            view! { <p class="quiet">{text}<a href=whole.clone()>"Show all headers"</a></p> }
        });
        view! {
            <h4>"Response"</h4>
            <HeaderList headers/>
            {more}
            <LongCodeBlock
                label=format!("Response to attempt {number}")
                content=attempt.response_body
                whole
                noun="response"
                limit=SHOWN_RESPONSE
            />
            {cut}
        }
    });
    let file = match body {
        RequestBody::Inline(_) => None,
        RequestBody::File { address, name } => {
            let text = format!("save it as {name}");
            Some(view! {
                <p class="quiet">
                    "The body is too long to repeat here. First, "<a href=address download=name>{text}</a>"."
                </p>
            })
        }
    };
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
                <p class="attempt__line"><strong>"POST "</strong><span class="address">{url}</span></p>
                <HeaderList headers=attempt.request_headers/>
                <p class="quiet">{signature}</p>
                <details class="curl copied">
                    <summary>"Copy as curl"</summary>
                    <p class="quiet">
                        "The same request, byte for byte. Receivers that check the timestamp reject it after a few minutes. To \
                         send the event with a new signature, use Resend."
                    </p>
                    {file}
                    <CopyButton/>
                    <pre class="inert" tabindex="0" role="region" aria-label=format!("Attempt {number} as curl")><code>{command}</code></pre>
                </details>
                {response}
            </div>
        </details>
    }
}

/// Returns the headers that are shown, and the number of the others.
fn shown_headers(headers: Vec<(String, String)>) -> (Vec<(String, String)>, usize) {
    let mut length = 0;
    let (mut shown, mut hidden) = (Vec::new(), 0);
    for (name, value) in headers {
        length += name.len() + value.len();
        if length <= MAX_SHOWN_HEADERS {
            shown.push((name, value));
        } else {
            hidden += 1;
        }
    }
    (shown, hidden)
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
