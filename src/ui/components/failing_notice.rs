//! The warning that a failing webhook will be disabled.

use std::time::Duration;

use leptos::prelude::*;

use super::time_ago::{ExactTime, TimeAgo};
use crate::domain::{Timestamp, health, health::FailureSeries};

/// Percentage of the way to being disabled from which the notice is an error instead of a warning.
const URGENT_PERCENT: u32 = 50;

/// Shows since when no call has succeeded and when the webhook will be disabled.
#[component]
pub fn FailingNotice(series: FailureSeries, now: Timestamp) -> impl IntoView {
    let disabled_at = series.since.plus(health::DISABLE_AFTER);
    let class = if series.percent_to_disable() >= URGENT_PERCENT {
        "notice notice--bad"
    } else {
        "notice notice--warning"
    };
    let remaining = health::DISABLE_AFTER.saturating_sub(now.since(series.since));
    let consequence = if remaining == Duration::ZERO {
        view! { "It will be disabled if more deliveries fail." }.into_any()
    } else {
        view! {
            "It will be disabled "<TimeAgo at=disabled_at now/>" at the earliest, on "<ExactTime at=disabled_at now/>
            ", unless a call succeeds first."
        }
        .into_any()
    };
    view! {
        <p class=class>
            <strong>"No call has succeeded since "<ExactTime at=series.since now/>". "</strong>
            {consequence}
        </p>
    }
}
