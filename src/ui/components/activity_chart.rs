//! A small bar chart of the last 24 hours of a webhook.

use leptos::prelude::*;

use crate::{domain::Timestamp, store::HourlyActivity, ui::components::bar_chart::BarChart};

const HOURS: usize = 24;
const HOUR_MILLIS: i64 = 60 * 60 * 1000;
const HEIGHT: u32 = 24;

/// Attempts per hour, oldest first. The last entry is the current hour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    hours: [Hour; HOURS],
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Hour {
    succeeded: u32,
    failed: u32,
}

impl Activity {
    /// Returns the start of the oldest hour.
    pub fn start(now: Timestamp) -> Timestamp {
        let hour = now.as_millis().div_euclid(HOUR_MILLIS) + 1;
        Timestamp::from_millis((hour - i64::try_from(HOURS).expect("24 fits into i64")) * HOUR_MILLIS)
    }

    pub fn add(&mut self, activity: &HourlyActivity, now: Timestamp) {
        let offset = (activity.hour.as_millis() - Self::start(now).as_millis()).div_euclid(HOUR_MILLIS);
        let hour = usize::try_from(offset)
            .ok()
            .and_then(|index| self.hours.get_mut(index));
        if let Some(hour) = hour {
            hour.succeeded += activity.succeeded;
            hour.failed += activity.failed;
        }
    }

    fn summary(&self) -> String {
        let succeeded: u64 = self.hours.iter().map(|hour| u64::from(hour.succeeded)).sum();
        let failed: u64 = self.hours.iter().map(|hour| u64::from(hour.failed)).sum();
        match (succeeded, failed) {
            (0, 0) => "Nothing sent in the last 24 hours".into(),
            (_, 0) => format!("Last 24 hours: {succeeded} delivered, none failed"),
            _ => format!("Last 24 hours: {succeeded} delivered, {failed} failed attempts"),
        }
    }
}

#[component]
pub fn ActivityChart(activity: Activity) -> impl IntoView {
    let summary = activity.summary();
    let tooltip = summary.clone();
    let hours = activity.hours.iter().map(|hour| (hour.succeeded, hour.failed));
    view! {
        <span class="activity" title=tooltip><BarChart counts=hours.collect() height=HEIGHT label=summary/></span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half past an hour, so that the current hour is incomplete.
    const NOW: Timestamp = Timestamp::from_millis(1_795_429_800_000);

    fn hour(hours_ago: i64, succeeded: u32, failed: u32) -> HourlyActivity {
        let hour = NOW.as_millis().div_euclid(HOUR_MILLIS) - hours_ago;
        HourlyActivity {
            webhook_id: "wh_00000000000000000000000000000001".parse().unwrap(),
            hour: Timestamp::from_millis(hour * HOUR_MILLIS),
            succeeded,
            failed,
        }
    }

    #[test]
    fn counts_by_hour_and_ignores_other_hours() {
        let mut activity = Activity::default();
        for hour in [hour(0, 3, 0), hour(23, 1, 2), hour(24, 9, 9), hour(-1, 9, 9)] {
            activity.add(&hour, NOW);
        }
        assert_eq!(
            activity.hours[23],
            Hour {
                succeeded: 3,
                failed: 0
            }
        );
        assert_eq!(
            activity.hours[0],
            Hour {
                succeeded: 1,
                failed: 2
            }
        );
        assert_eq!(
            activity.summary(),
            "Last 24 hours: 4 delivered, 2 failed attempts"
        );
    }
}
