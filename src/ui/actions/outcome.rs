//! Results of server functions.

#[cfg(feature = "ssr")]
pub use crate::ui::layout::fragment::Fragment;

/// HTML rendered by the server.
#[cfg(not(feature = "ssr"))]
pub type Fragment = String;

/// Result of a successful change. The browser ignores fields that are `None`.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(Debug, serde::Serialize))]
pub struct Outcome {
    /// Path of the page to show next.
    pub to: Option<String>,
    /// Message to show in the form, which stays open.
    pub message: Option<String>,
    /// HTML for the element `part` of the page.
    pub part: Option<Fragment>,
    /// New version for the form.
    pub version: Option<i64>,
    /// New token for the form. With the previous one, a later submission would count as a repetition.
    #[cfg_attr(feature = "ssr", serde(skip_serializing_if = "Option::is_none"))]
    pub submission: Option<String>,
}

impl Outcome {
    /// Shows another page.
    pub fn to(path: impl Into<String>) -> Self {
        Self {
            to: Some(path.into()),
            ..Self::default()
        }
    }

    /// Shows a part of the page.
    pub fn part(html: Fragment) -> Self {
        Self {
            part: Some(html),
            ..Self::default()
        }
    }
}

/// Feedback on the value of a field before the form is submitted.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Serialize))]
pub struct Advice {
    /// Error that saving the form would return.
    pub error: Option<String>,
    /// Warnings, one per line.
    pub advice: Option<String>,
}
