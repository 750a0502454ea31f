//! How one wants to see the dashboard.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {
    super::serve::{back_to, keep, visit},
    crate::ui::{
        paths,
        request::{
            flash::Flash,
            preferences::kept,
            theme::{self, Theme},
            zone::{CHOSEN, Origin, Zone},
        },
    },
};

use super::{
    outcome::Outcome,
    protocol::{Call, Form},
    refusal::Refusal,
};

/// The forms of the preferences.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct PreferencesForm {
    /// `system`, `light` or `dark`.
    pub theme: String,
    /// A name in the time zone database; empty for the one that the browser says.
    pub zone: String,
    /// The page to go back to.
    pub back: String,
}

/// Chooses the time zone in which this browser shows times.
#[server(prefix = "/settings/actions", endpoint = "set-time-zone", protocol = Call, input_derive = (Clone,))]
pub async fn set_time_zone(form: Form<PreferencesForm>) -> Result<Outcome, Refusal> {
    let (visit, form) = (visit(), form.value);
    let zone = Zone::parse(&form.zone, Origin::Chosen);
    let (name, message) = match &zone {
        Some(zone) => (zone.name(), format!("Times are shown in {}.", zone.name())),
        None => (
            "",
            "Times are shown in the zone that your browser says.".to_owned(),
        ),
    };
    keep(&kept(CHOSEN, name));
    Ok(visit
        .done(Flash::plain(message), &back_to(&form.back, paths::LIST))
        .await)
}

/// Chooses the theme of this browser.
#[server(prefix = "/settings/actions", endpoint = "set-theme", protocol = Call, input_derive = (Clone,))]
pub async fn set_theme(form: Form<PreferencesForm>) -> Result<Outcome, Refusal> {
    let form = form.value;
    let theme: Theme = form.theme.parse().unwrap_or_default();
    keep(&kept(theme::COOKIE, theme.as_str()));
    Ok(Outcome::to(back_to(&form.back, paths::LIST)))
}
