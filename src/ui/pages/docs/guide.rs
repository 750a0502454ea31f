//! `/integrations/webhook/guide`: how to receive, for those who write the receiver.

mod check;
mod languages;
mod retries;

use axum::response::Response;
use leptos::prelude::*;
use url::form_urlencoded;

use self::{
    check::Check,
    languages::{Language, Receiver},
    retries::Retries,
};
use crate::{
    delivery::sender::USER_AGENT,
    domain::EventType,
    ui::{
        components::{code::CodeBlock, time_ago::in_full},
        islands::copy_button::CopyButton,
        layout::{document::Page, shell::Section},
        paths,
        request::visit::Visit,
        state::DeliveryPolicy,
    },
};

pub async fn show(visit: Visit) -> Response {
    let mut fields = form_urlencoded::parse(visit.query.as_bytes());
    let language = fields.find(|(name, _)| name == "language");
    let language = Language::of(&language.map(|(_, key)| key).unwrap_or_default());
    let terms = visit.ui.terms.clone();
    let page = Page::new("Guide", Section::Guide).with_islands();
    visit.page(page, || view! { <Guide language terms=&terms/> }.into_any())
}

#[component]
fn Guide<'a>(language: Language, terms: &'a DeliveryPolicy) -> impl IntoView + use<> {
    let timeout = in_full(terms.timeout);
    view! {
        <div class="heading">
            <div>
                <h1>"Guide"</h1>
                <p class="heading__text">
                    "How to receive webhooks: what arrives, how to know that it is from Caleida, and what happens when \
                     it cannot be delivered."
                </p>
            </div>
        </div>
        <nav aria-label="Contents">
            <ul class="catalog__links">
                <li><a href="#arrives">"What arrives"</a></li>
                <li><a href="#verify">"Verify each call"</a></li>
                <li><a href="#answer">"Answer"</a></li>
                <li><a href="#retries">"Retries"</a></li>
                <li><a href="#check">"Check a signature"</a></li>
            </ul>
        </nav>
        <Arrives/>
        <Verify language/>
        <Answers timeout/>
        <Retries schedule=terms.schedule.clone()/>
        <Check/>
    }
}

#[component]
fn Arrives() -> impl IntoView {
    let headers = [
        ("content-type", "application/json"),
        ("user-agent", USER_AGENT),
        (
            "webhook-id",
            "The event’s id: the same at every attempt and when it is resent. Drop what you have seen.",
        ),
        (
            "webhook-timestamp",
            "When this attempt was made, in Unix seconds.",
        ),
        (
            "webhook-signature",
            "v1, and the signature in base64. Two of them, with a space between, while a secret is being rotated.",
        ),
    ];
    let headers = headers.map(|(name, text)| {
        view! { <div><dt><code>{name}</code></dt><dd>{text}</dd></div> }
    });
    view! {
        <section class="card guide" id="arrives" aria-labelledby="arrives-title">
            <h2 id="arrives-title">"What arrives"</h2>
            <p>
                "A "<code>"POST"</code>" to your URL for each event, with its type, its time and its data as JSON. "
                <a href=paths::EVENT_TYPES>"Event types"</a>" has the schema of each."
            </p>
            <dl class="guide__headers">{headers.collect_view()}</dl>
            <h3>"Body"</h3>
            <CodeBlock label="Example of a body" text=EventType::Chat.example_body()/>
        </section>
    }
}

#[component]
fn Verify(language: Language) -> impl IntoView {
    let tabs = Language::ALL.map(|tab| {
        let current = (tab.key == language.key).then_some("true");
        let href = format!("{}?language={}#verify", paths::GUIDE, tab.key);
        view! { <li><a href=href aria-current=current>{tab.name}</a></li> }
    });
    let with_library = match language.library {
        Some(library) => view! {
            <h3>"With the Standard Webhooks library"</h3>
            <p class="guide__install"><code>{library.install}</code></p>
            <Code receiver=library.receiver/>
        }
        .into_any(),
        None => view! {
            <p class="quiet">
                {format!("There is no library of the Standard Webhooks project for {}.", language.name)}
            </p>
        }
        .into_any(),
    };
    view! {
        <section class="card guide" id="verify" aria-labelledby="verify-title">
            <h2 id="verify-title">"Verify each call"</h2>
            <p>
                "Anybody can call your URL. Only Caleida and you know the secret, so only a call that verifies is \
                 from Caleida, and as it was sent."
            </p>
            <ol class="guide__steps">
                <li>"Take the body as the bytes that came, before anything parses them."</li>
                <li>
                    "Compute HMAC-SHA256 of "<code>"webhook-id.webhook-timestamp.body"</code>
                    ". The key is what the base64 after "<code>"whsec_"</code>
                    " decodes to; a secret of your own words is used as its bytes."
                </li>
                <li>"Compare it with each v1 signature of the header, in constant time. One that matches is enough."</li>
                <li>"Refuse calls whose timestamp is more than 5 minutes away, so that nobody can repeat an old one."</li>
            </ol>
            <nav aria-label="Languages"><ul class="tabs">{tabs.collect_view()}</ul></nav>
            {with_library}
            <h3>"Without a library"</h3>
            <Code receiver=language.plain/>
        </section>
    }
}

#[component]
fn Code(receiver: Receiver) -> impl IntoView {
    view! {
        <div class="copied guide__code">
            <CopyButton/>
            <pre class="inert" tabindex="0" role="region" aria-label=receiver.file><code>{receiver.code}</code></pre>
        </div>
    }
}

#[component]
fn Answers(timeout: String) -> impl IntoView {
    view! {
        <section class="card guide" id="answer" aria-labelledby="answer-title">
            <h2 id="answer-title">"Answer"</h2>
            <ul class="guide__steps">
                <li>
                    "Answer with any 2xx, within "<strong>{timeout}</strong>
                    ". Put the work into a queue and answer at once: what takes longer counts as a failure."
                </li>
                <li>
                    "Take each "<code>"webhook-id"</code>" once. Every event arrives at least once, so now and then one \
                     arrives twice: after an answer that was lost, or because somebody has resent it."
                </li>
                <li>"Do not count on the order. Each body has its own "<code>"timestamp"</code>"."</li>
                <li>"Ignore fields that you do not know: new ones may come at any time."</li>
                <li>"Use https, and keep the secret where your other secrets are. Rotate it when somebody leaves."</li>
            </ul>
        </section>
    }
}
