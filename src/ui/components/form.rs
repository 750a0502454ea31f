//! Forms that change something, with what their server function said.
//!
//! Without JavaScript a form is posted to its page. With it, the island [`Navigator`](crate::ui::islands::navigator)
//! calls the function that the form, or the button that was pressed, names by its path.

use leptos::prelude::*;

use crate::ui::{actions::serve::Reply, layout::fragment::Fragment};

/// A form whose change a server function makes.
#[component]
pub fn ActionForm(
    /// The page, for those without JavaScript.
    #[prop(into)]
    page: String,
    /// The path of the server function.
    function: &'static str,
    #[prop(optional)] id: Option<&'static str>,
    #[prop(optional)] class: Option<&'static str>,
    #[prop(optional)] label: Option<&'static str>,
    #[prop(optional)] reply: Option<Said>,
    children: Children,
) -> impl IntoView {
    view! {
        <form id=id class=class method="post" action=page data-action=function aria-label=label novalidate>
            <Notice said=reply.unwrap_or_default()/>
            {children()}
        </form>
    }
}

/// Submits its form to another function than the form's own.
#[component]
pub fn FormButton(
    function: &'static str,
    /// Says which button was pressed, in a form without JavaScript.
    value: &'static str,
    class: &'static str,
    /// The id of its form, if it stands outside.
    #[prop(optional)]
    form: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    view! {
        <button class=class type="submit" name="do" value=value form=form data-action=function>{children()}</button>
    }
}

/// What a function said about a form as a whole.
#[derive(Debug, Clone, Default)]
pub struct Said {
    message: Option<String>,
    refused: bool,
    html: Option<Fragment>,
    /// Whether it is the first thing to look at.
    focus: bool,
}

impl From<&Reply> for Said {
    fn from(reply: &Reply) -> Self {
        Self {
            message: reply.message.clone(),
            refused: reply.refused,
            html: reply.notice.clone(),
            focus: reply.refused && reply.fields.is_empty(),
        }
    }
}

/// Where it is said: the browser writes into the same element.
#[component]
pub fn Notice(said: Said) -> impl IntoView {
    let Said {
        message,
        refused,
        html,
        focus,
    } = said;
    let (class, role) = if refused {
        ("notice notice--bad", "alert")
    } else {
        ("notice", "status")
    };
    let message = message.map(|text| {
        view! { <p class=class role=role tabindex="-1" autofocus=focus>{text}</p> }
    });
    view! {
        <div class="form__notice" data-notice>
            {html.map(|html| view! { <div inner_html=html.as_str().to_owned()></div> })}
            {message}
        </div>
    }
}

/// The place for HTML that a function returned; until then, for what it replaces.
#[component]
pub fn Part(
    #[prop(optional_no_strip)] html: Option<Fragment>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    match html {
        Some(html) => {
            view! { <div class="part" id="part" inner_html=html.as_str().to_owned()></div> }.into_any()
        }
        None => view! { <div class="part" id="part">{children.map(|children| children())}</div> }.into_any(),
    }
}
