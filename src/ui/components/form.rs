//! Forms that call a server function, and the notice with its result.
//!
//! Without JavaScript, a form posts to its page. With JavaScript, the island
//! [`Navigator`](crate::ui::islands::navigator) calls the server function whose path is on the form or on the button.

use leptos::prelude::*;

use crate::{
    submissions::new_token,
    ui::{
        actions::{SUBMISSION, serve::FormFeedback},
        layout::fragment::Fragment,
    },
};

/// A form that a server function handles.
#[component]
pub fn ActionForm(
    /// The path that the form posts to without JavaScript.
    #[prop(into)]
    page: String,
    /// The path of the server function.
    function: &'static str,
    #[prop(optional)] id: Option<&'static str>,
    #[prop(optional)] class: Option<&'static str>,
    #[prop(optional)] label: Option<&'static str>,
    #[prop(optional)] notice: Option<NoticeContent>,
    children: Children,
) -> impl IntoView {
    view! {
        <form id=id class=class method="post" action=page data-action=function aria-label=label novalidate>
            <Notice content=notice.unwrap_or_default()/>
            {children()}
        </form>
    }
}

/// The token of a form whose change must not be made twice. See [`once`](crate::submissions).
#[component]
pub fn SubmissionToken() -> impl IntoView {
    view! { <input type="hidden" name=SUBMISSION value=new_token()/> }
}

/// A submit button that calls a different function than its form.
#[component]
pub fn FormButton(
    function: &'static str,
    /// Identifies the pressed button without JavaScript.
    value: &'static str,
    class: &'static str,
    /// The id of the form if the button is outside of it.
    #[prop(optional)]
    form: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    view! {
        <button class=class type="submit" name="do" value=value form=form data-action=function>{children()}</button>
    }
}

/// The result of a server function for the form as a whole.
#[derive(Debug, Clone, Default)]
pub struct NoticeContent {
    message: Option<String>,
    refused: bool,
    html: Option<Fragment>,
    /// Moves the focus to the notice.
    focus: bool,
}

impl From<&FormFeedback> for NoticeContent {
    fn from(feedback: &FormFeedback) -> Self {
        Self {
            message: feedback.message.clone(),
            refused: feedback.refused,
            html: feedback.notice.clone(),
            focus: feedback.refused && feedback.fields.is_empty(),
        }
    }
}

/// The element that shows the result. With JavaScript, the island `Navigator` writes to it.
#[component]
pub fn Notice(content: NoticeContent) -> impl IntoView {
    let NoticeContent {
        message,
        refused,
        html,
        focus,
    } = content;
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

/// The element that shows HTML returned by a server function. Shows its children until then.
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

/// The element that shows the preview of a form, which is refreshed while the user types.
#[component]
pub fn Preview(
    #[prop(optional_no_strip)] html: Option<Fragment>,
    /// The path of the server function that returns the preview.
    function: &'static str,
    /// Shown until then.
    children: Children,
) -> impl IntoView {
    let shown = match html {
        Some(html) => view! { <div inner_html=html.as_str().to_owned()></div> }.into_any(),
        None => children().into_any(),
    };
    view! { <div class="preview" id=PREVIEW aria-live="polite" data-preview=function>{shown}</div> }
}

/// The id of the element [`Preview`], for the button that shows it.
pub const PREVIEW: &str = "preview";
