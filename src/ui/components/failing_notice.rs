//! What a failing webhook is heading for.

use std::time::Duration;

use leptos::prelude::*;

use super::time_ago::{Moment, TimeAgo};
use crate::domain::{Timestamp, failing};

/// What happens if it goes on like this; the more urgent, the less time is left.
#[component]
pub fn FailingNotice(since: Timestamp, now: Timestamp) -> impl IntoView {
    let ends = since.plus(failing::AT_MOST);
    let passed = now.since(since).as_secs() * 100 / failing::AT_MOST.as_secs();
    let urgent = passed >= u64::from(failing::NOTICES[0]);
    let class = if urgent {
        "notice notice--bad"
    } else {
        "notice notice--warning"
    };
    let left = failing::AT_MOST.saturating_sub(now.since(since));
    let next = if left == Duration::ZERO {
        view! { "It will be disabled with the next attempt that fails." }.into_any()
    } else {
        view! {
            "It will be disabled "<TimeAgo at=ends now/>", on "<Moment at=ends now/>", unless one succeeds before."
        }
        .into_any()
    };
    view! {
        <p class=class>
            <strong>"No call has succeeded since "<Moment at=since now/>". "</strong>
            {next}
        </p>
    }
}
