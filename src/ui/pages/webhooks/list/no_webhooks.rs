//! The placeholder for an account without webhooks: what webhooks are, with a picture.

use leptos::prelude::*;

use crate::ui::components::empty_state::EmptyState;

#[component]
pub fn NoWebhooks(add: Option<AnyView>) -> impl IntoView {
    let text = "When a chat is created, a message is received or an insight is generated, Caleida calls your URL. Each call \
                is signed with a secret that only you and Caleida know, and is retried if it fails.";
    let hint = add
        .is_none()
        .then_some("Ask a member or an admin to add the first one.");
    view! {
        <EmptyState picture=view! { <Picture/> }.into_any() title="No webhooks yet" text>
            {add}
            {hint}
        </EmptyState>
    }
}

/// The facets of the logo send events along three lines. Two have arrived, one is in transit.
#[component]
fn Picture() -> impl IntoView {
    view! {
        <svg class="picture" viewBox="0 0 320 140" width="320" height="140" aria-hidden="true" focusable="false">
            <g class="picture__lines" fill="none" stroke-width="1.5">
                <path d="M92 62C150 62 150 26 216 26"></path>
                <path d="M96 70H216"></path>
                <path d="M92 78C150 78 150 114 216 114" stroke-dasharray="3 5"></path>
            </g>
            <g class="picture__events">
                <rect x="137" y="34" width="34" height="14" rx="7"></rect>
                <rect x="152" y="63" width="34" height="14" rx="7"></rect>
                <rect x="128" y="92" width="34" height="14" rx="7"></rect>
            </g>
            <g class="picture__text" stroke-width="2" stroke-linecap="round">
                <path d="M145 41h18M160 70h18M136 99h18"></path>
            </g>
            <g class="picture__source">
                <path d="M60 70L60 32 93 51z" fill="#7c6cf0"></path>
                <path d="M60 70L93 51 93 89z" fill="#4f46c8"></path>
                <path d="M60 70L93 89 60 108z" fill="#2bb3a3"></path>
                <path d="M60 70L60 108 27 89z" fill="#7c6cf0"></path>
                <path d="M60 70L27 89 27 51z" fill="#4f46c8"></path>
                <path d="M60 70L27 51 60 32z" fill="#2bb3a3"></path>
                <path d="M60 49L78 80.5H42z" fill="#fff" fill-opacity=".22"></path>
                <path d="M60 91L42 59.5h36z" fill="#fff" fill-opacity=".22"></path>
            </g>
            <g class="picture__servers" stroke-width="1.5">
                <rect x="216" y="10" width="76" height="32" rx="8"></rect>
                <rect x="216" y="54" width="76" height="32" rx="8"></rect>
                <rect x="216" y="98" width="76" height="32" rx="8"></rect>
            </g>
            <g class="picture__text" stroke-width="2" stroke-linecap="round">
                <path d="M230 22h26M230 30h16M230 66h26M230 74h16M230 110h26M230 118h16"></path>
            </g>
            <g class="picture__arrived" fill="none" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
                <path d="M270 26l4 4 7-8M270 70l4 4 7-8"></path>
            </g>
            <circle class="picture__awaited" cx="276" cy="114" r="3.5"></circle>
        </svg>
    }
}
