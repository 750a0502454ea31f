//! What people change through the dashboard: one `#[server]` function for each change, a file per noun.
//!
//! Each takes a form as it was filled in and returns an [`Outcome`](outcome::Outcome), or a [`Refusal`](refusal::Refusal) that says why nothing was done. In
//! the browser it is called by [`browser::call`]; without JavaScript the form is posted to its page, whose handler calls
//! the same function through [`Visit::submit`](crate::ui::request::visit::Visit) and renders what it returns. Who may
//! call it stands in the table of [routes](crate::ui::routes()).

pub mod account;
pub mod api_keys;
#[cfg(not(feature = "ssr"))]
pub mod browser;
pub mod deliveries;
pub mod outcome;
pub mod preferences;
pub mod protocol;
pub mod recoveries;
pub mod refusal;
pub mod secrets;
#[cfg(feature = "ssr")]
pub mod serve;
pub mod users;
pub mod webhooks;

/// Where the functions for webhooks and deliveries are served, and those for the rest.
pub const WEBHOOK_ACTIONS: &str = "/integrations/webhook/actions";
pub const SETTINGS_ACTIONS: &str = "/settings/actions";

/// Whether a path is that of a server function, which answers in JSON whatever happens.
pub fn is_action(path: &str) -> bool {
    [WEBHOOK_ACTIONS, SETTINGS_ACTIONS].iter().any(|prefix| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with('/'))
    })
}
