//! One HTTP request and what came of it.

use leptos::prelude::*;

use super::Inert;
use crate::{
    domain::{Attempt, Timestamp},
    ui::components::{
        badge::ResultBadge,
        time_ago::{Moment, duration},
    },
};

#[component]
pub fn AttemptCard(attempt: Attempt, open: bool, now: Timestamp) -> impl IntoView {
    let number = attempt.number;
    let answered = attempt.outcome.status_code().is_some();
    let detail = attempt
        .detail
        .map(|detail| view! { <p class="notice notice--bad">{detail}</p> });
    let response = answered.then(|| {
        let text = String::from_utf8_lossy(&attempt.response_body).into_owned();
        let cut = attempt
            .response_truncated
            .then(|| view! { <p class="quiet">"Only its beginning is kept."</p> });
        view! {
            <h4>"Response"</h4>
            <Headers headers=attempt.response_headers/>
            <Inert label=format!("Response to attempt {number}") text/>
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
                <h4>"Request"</h4>
                <p class="attempt__line"><strong>"POST "</strong><span class="address">{attempt.url}</span></p>
                <Headers headers=attempt.request_headers/>
                {response}
            </div>
        </details>
    }
}

/// As they went over the wire. What must not be seen was redacted when the attempt was recorded.
#[component]
fn Headers(headers: Vec<(String, String)>) -> impl IntoView {
    if headers.is_empty() {
        return ().into_any();
    }
    let headers = headers
        .into_iter()
        .map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> });
    view! { <dl class="headers">{headers.collect_view()}</dl> }.into_any()
}
