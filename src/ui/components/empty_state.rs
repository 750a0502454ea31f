//! Instead of a list that has nothing to show.

use leptos::prelude::*;

/// `picture` is decoration; the title says what is the case, the children what to do about it.
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
