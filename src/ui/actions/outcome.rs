//! What a server function returns.

#[cfg(feature = "ssr")]
pub use crate::ui::layout::fragment::Fragment;

/// HTML that the server's components have rendered.
#[cfg(not(feature = "ssr"))]
pub type Fragment = String;

/// The change was made. What is absent changes nothing in the browser.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(Debug, serde::Serialize))]
pub struct Outcome {
    /// The page to show next: a path on this site.
    pub to: Option<String>,
    /// What to say in the form, which stays open.
    pub message: Option<String>,
    /// HTML for the page's element `part`, rendered by a component.
    pub part: Option<Fragment>,
    /// The version that the form is now based on.
    pub version: Option<i64>,
}

impl Outcome {
    /// Leads to another page.
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

/// What is unwise about a field while it is being filled in.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Serialize))]
pub struct Advice {
    /// Why it would be refused.
    pub error: Option<String>,
    /// What is unwise about it, a line each.
    pub advice: Option<String>,
}
