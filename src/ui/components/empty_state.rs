//! The placeholder for an empty list.

use leptos::prelude::*;

/// `picture` is decorative. The children are the actions that the user can take.
#[component]
pub fn EmptyState(
    #[prop(optional)] picture: Option<AnyView>,
    title: &'static str,
    #[prop(into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            {picture}
            <p class="empty__title">{title}</p>
            <p class="empty__text">{text}</p>
            {children.map(|children| view! { <p class="empty__actions">{children()}</p> })}
        </div>
    }
}
