//! `/integrations/webhook/guide`: how to write a receiver.

mod check;
mod languages;
mod options;
mod retries;

use axum::response::Response;
use leptos::prelude::*;
use url::form_urlencoded;

use self::{
    check::CheckSection,
    languages::{Language, Receiver},
    options::OptionsSection,
    retries::RetriesSection,
};
use crate::{
    delivery::sender::USER_AGENT,
    domain::EventType,
    ui::{
        components::{code::CodeBlock, time_ago::full_duration},
        islands::copy_button::CopyButton,
        layout::{document::Page, shell::Section},
        paths,
        request::context::RequestContext,
        state::DeliveryPolicy,
    },
};

pub async fn show(ctx: RequestContext) -> Response {
    let mut fields = form_urlencoded::parse(ctx.query.as_bytes());
    let language = fields.find(|(name, _)| name == "language");
    let language = Language::from_key(&language.map(|(_, key)| key).unwrap_or_default());
    let policy = ctx.ui.delivery_policy.clone();
    let page = Page::new("Guide", Section::Guide).with_islands();
    ctx.render_page(page, || view! { <Guide language policy=&policy/> }.into_any())
}

#[component]
fn Guide<'a>(language: Language, policy: &'a DeliveryPolicy) -> impl IntoView + use<> {
    let timeout = full_duration(policy.timeout);
    view! {
        <div class="heading">
            <div>
                <h1>"Guide"</h1>
                <p class="heading__text">
                    "How to receive webhooks: what Caleida sends, how to verify it, and what happens when a delivery fails."
                </p>
            </div>
        </div>
        <nav aria-label="Contents">
            <ul class="catalog__links">
                <li><a href="#arrives">"Request"</a></li>
                <li><a href="#verify">"Verify signatures"</a></li>
                <li><a href="#answer">"Response"</a></li>
                <li><a href="#options">"Advanced settings"</a></li>
                <li><a href="#retries">"Retries"</a></li>
                <li><a href="#check">"Check a signature"</a></li>
            </ul>
        </nav>
        <RequestSection/>
        <VerifySection language/>
        <ResponseSection timeout/>
        <OptionsSection/>
        <RetriesSection schedule=policy.schedule.clone()/>
        <CheckSection/>
    }
}

#[component]
fn RequestSection() -> impl IntoView {
    let headers = [
        ("content-type", "application/json"),
        ("user-agent", USER_AGENT),
        (
            "webhook-id",
            "The event ID. It is the same for every attempt and resend: use it to discard duplicates.",
        ),
        ("webhook-timestamp", "The time of this attempt in Unix seconds."),
        (
            "webhook-signature",
            "“v1,” and the signature in base64. During a secret rotation, two of them separated by a space.",
        ),
    ];
    let headers = headers.map(|(name, text)| {
        view! { <div><dt><code>{name}</code></dt><dd>{text}</dd></div> }
    });
    view! {
        <section class="card guide" id="arrives" aria-labelledby="arrives-title">
            <h2 id="arrives-title">"Request"</h2>
            <p>
                "A "<code>"POST"</code>" request to your URL for each event, with the type, timestamp and data of the event as JSON. For the schemas, see "
                <a href=paths::EVENT_TYPES>"Event types"</a>"."
            </p>
            <dl class="guide__headers">{headers.collect_view()}</dl>
            <p>"A webhook can have "<a href="#options">"further headers"</a>"."</p>
            <h3>"Body"</h3>
            <CodeBlock label="Example body" text=EventType::Chat.example_body()/>
            <p>
                "The data is passed on byte for byte as it was published. Its strings are always valid Unicode. Numbers may \
                 have more digits or a larger exponent than a double can hold, such as "<code>"12345678901234567890"</code>
                " or "<code>"1e999"</code>", and a field name may be repeated in an object. If that matters to you, choose \
                 how your JSON parser reads them."
            </p>
        </section>
    }
}

#[component]
fn VerifySection(language: Language) -> impl IntoView {
    let tabs = Language::ALL.map(|tab| {
        let current = (tab.key == language.key).then_some("true");
        let href = format!("{}?language={}#verify", paths::GUIDE, tab.key);
        view! { <li><a href=href aria-current=current>{tab.name}</a></li> }
    });
    let with_library = match language.library {
        Some(library) => view! {
            <h3>"With the Standard Webhooks library"</h3>
            <p class="guide__install"><code>{library.install}</code></p>
            <ReceiverCode receiver=library.receiver/>
        }
        .into_any(),
        None => view! {
            <p class="quiet">
                {format!("The Standard Webhooks project has no library for {}.", language.name)}
            </p>
        }
        .into_any(),
    };
    view! {
        <section class="card guide" id="verify" aria-labelledby="verify-title">
            <h2 id="verify-title">"Verify signatures"</h2>
            <p>
                "Anyone can call your URL. Only you and Caleida know the secret, so a valid signature proves that a call \
                 comes from Caleida and was not modified."
            </p>
            <ol class="guide__steps">
                <li>"Read the raw bytes of the body, before parsing them."</li>
                <li>
                    "Compute HMAC-SHA256 of "<code>"webhook-id.webhook-timestamp.body"</code>
                    ". The key is the base64-decoded part of the secret after "<code>"whsec_"</code>
                    ". If the secret has no such prefix, the key is the bytes of its text."
                </li>
                <li>"Compare it with each v1 signature in the header, in constant time. One match is enough."</li>
                <li>"Reject calls whose timestamp is more than 5 minutes off, to prevent replay attacks."</li>
            </ol>
            <nav aria-label="Languages"><ul class="tabs">{tabs.collect_view()}</ul></nav>
            {with_library}
            <h3>"Without a library"</h3>
            <ReceiverCode receiver=language.plain/>
        </section>
    }
}

#[component]
fn ReceiverCode(receiver: Receiver) -> impl IntoView {
    view! {
        <div class="copied guide__code">
            <CopyButton/>
            <pre class="inert" tabindex="0" role="region" aria-label=receiver.file><code>{receiver.code}</code></pre>
        </div>
    }
}

#[component]
fn ResponseSection(timeout: String) -> impl IntoView {
    view! {
        <section class="card guide" id="answer" aria-labelledby="answer-title">
            <h2 id="answer-title">"Response"</h2>
            <ul class="guide__steps">
                <li>
                    "Return a 2xx status within "<strong>{timeout}</strong>
                    ". Queue the work and respond immediately: a slower response counts as a failure."
                </li>
                <li>
                    "Process each "<code>"webhook-id"</code>" once. Events are delivered at least once: an event arrives \
                     again after a lost response, or when it is resent."
                </li>
                <li>"Do not rely on the order of events. Each body has a "<code>"timestamp"</code>"."</li>
                <li>"Ignore unknown fields: new fields may be added at any time."</li>
                <li>"Use HTTPS, and store the secret with your other secrets. Rotate it when someone with access leaves."</li>
            </ul>
        </section>
    }
}
