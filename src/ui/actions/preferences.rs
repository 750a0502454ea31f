//! Server functions for the preferences of the browser.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {
    super::serve::{local_path_or, request_context, set_cookie},
    crate::ui::{
        paths,
        request::{
            flash::Flash,
            preferences::preference_cookie,
            theme::{self, Theme},
            zone::{CHOSEN_ZONE_COOKIE, Zone, ZoneSource},
        },
    },
};

use super::{
    outcome::Outcome,
    protocol::{Form, FormProtocol},
    refusal::Refusal,
};

/// The forms of the preferences.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct PreferencesForm {
    /// `system`, `light` or `dark`.
    pub theme: String,
    /// Name in the time zone database. Empty for the zone of the browser.
    pub zone: String,
    /// Path of the page to return to.
    pub back: String,
}

/// Sets the time zone of this browser.
#[server(prefix = "/settings/actions", endpoint = "set-time-zone", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn set_time_zone(form: Form<PreferencesForm>) -> Result<Outcome, Refusal> {
    let (ctx, form) = (request_context(), form.value);
    let zone = Zone::parse(&form.zone, ZoneSource::Chosen);
    let (name, message) = match &zone {
        Some(zone) => (zone.name(), format!("Times are shown in {}.", zone.name())),
        None => ("", "Times are shown in the time zone of your browser.".to_owned()),
    };
    set_cookie(&preference_cookie(CHOSEN_ZONE_COOKIE, name));
    Ok(ctx
        .redirect_with_flash(Flash::message(message), &local_path_or(&form.back, paths::LIST))
        .await)
}

/// Sets the theme of this browser.
#[server(prefix = "/settings/actions", endpoint = "set-theme", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn set_theme(form: Form<PreferencesForm>) -> Result<Outcome, Refusal> {
    let form = form.value;
    let theme: Theme = form.theme.parse().unwrap_or_default();
    set_cookie(&preference_cookie(theme::THEME_COOKIE, theme.as_str()));
    Ok(Outcome::to(local_path_or(&form.back, paths::LIST)))
}
