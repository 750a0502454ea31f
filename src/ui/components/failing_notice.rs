//! The warning that a failing webhook will be disabled.

use std::time::Duration;

use leptos::prelude::*;

use super::time_ago::{ExactTime, TimeAgo};
use crate::domain::{Timestamp, failing};

/// Shows since when no call has succeeded and when the webhook will be disabled. Turns from a warning into an error when
/// the first notice is due.
#[component]
pub fn FailingNotice(since: Timestamp, now: Timestamp) -> impl IntoView {
    let disabled_at = since.plus(failing::DISABLE_AFTER);
    let percent = now.since(since).as_secs() * 100 / failing::DISABLE_AFTER.as_secs();
    let urgent = percent >= u64::from(failing::NOTICE_PERCENTS[0]);
    let class = if urgent {
        "notice notice--bad"
    } else {
        "notice notice--warning"
    };
    let remaining = failing::DISABLE_AFTER.saturating_sub(now.since(since));
    let consequence = if remaining == Duration::ZERO {
        view! { "It will be disabled when the next attempt fails." }.into_any()
    } else {
        view! {
            "It will be disabled "<TimeAgo at=disabled_at now/>", on "<ExactTime at=disabled_at now/>", unless a call succeeds first."
        }
        .into_any()
    };
    view! {
        <p class=class>
            <strong>"No call has succeeded since "<ExactTime at=since now/>". "</strong>
            {consequence}
        </p>
    }
}
