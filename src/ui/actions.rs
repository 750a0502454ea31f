//! Server functions: a `#[server]` function for each change in the dashboard, a file per noun.
//!
//! A function takes a form and returns an [`Outcome`](outcome::Outcome), or a [`Refusal`](refusal::Refusal) with the reason
//! why nothing was changed. In the browser, [`browser::call`] calls it. Without JavaScript, the form is posted to its page,
//! whose handler calls the same function through
//! [`RequestContext::submit`](crate::ui::request::context::RequestContext::submit). The table of
//! [routes](crate::ui::routes()) has the access that each function requires.

pub mod account;
pub mod api_keys;
#[cfg(not(feature = "ssr"))]
pub mod browser;
pub mod deliveries;
#[cfg(feature = "ssr")]
pub mod once;
pub mod outcome;
pub mod preferences;
pub mod protocol;
pub mod recoveries;
pub mod refusal;
pub mod secrets;
#[cfg(feature = "ssr")]
pub mod serve;
pub mod users;
pub mod webhook_options;
pub mod webhooks;

/// Path prefix of the functions for webhooks and deliveries.
pub const WEBHOOK_ACTIONS: &str = "/integrations/webhook/actions";
/// Path prefix of all other functions.
pub const SETTINGS_ACTIONS: &str = "/settings/actions";

/// Name of the hidden field with the token of a form.
pub const SUBMISSION: &str = "submission";

/// Returns whether the path belongs to a server function, which returns JSON even for errors.
pub fn is_action(path: &str) -> bool {
    [WEBHOOK_ACTIONS, SETTINGS_ACTIONS].iter().any(|prefix| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with('/'))
    })
}
