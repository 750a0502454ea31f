//! The Caleida logo: six mirrored facets, as in a kaleidoscope.

use leptos::prelude::*;

/// Decorative: the name is next to it. The same drawing is in `public/favicon.svg`.
#[component]
pub fn Logo() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">
            <path d="M12 12L12 1.5 21.1 6.75z" fill="#7c6cf0"></path>
            <path d="M12 12L21.1 6.75 21.1 17.25z" fill="#4f46c8"></path>
            <path d="M12 12L21.1 17.25 12 22.5z" fill="#2bb3a3"></path>
            <path d="M12 12L12 22.5 2.9 17.25z" fill="#7c6cf0"></path>
            <path d="M12 12L2.9 17.25 2.9 6.75z" fill="#4f46c8"></path>
            <path d="M12 12L2.9 6.75 12 1.5z" fill="#2bb3a3"></path>
            <path d="M12 6.2L17 14.9H7z" fill="#fff" fill-opacity=".22"></path>
            <path d="M12 17.8L7 9.1h10z" fill="#fff" fill-opacity=".22"></path>
        </svg>
    }
}
