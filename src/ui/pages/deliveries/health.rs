//! The health of a webhook: success rate, latencies, and the warning that it is failing.

use std::time::Duration;

use leptos::prelude::*;

use crate::{
    domain::{Latencies, Timestamp, Webhook, health::FailureSeries},
    store::{HourlyActivity, StoreError},
    ui::{
        components::{
            bar_chart::BarChart,
            count::{format_number, pluralize},
            failing_notice::FailingNotice,
            time_ago::{self, duration, hour},
        },
        request::{
            context::RequestContext,
            zone::{Zone, use_zone},
        },
    },
};

const HOUR: i64 = 3_600_000;

/// The data of the health section.
pub struct Health {
    failing: Option<FailureSeries>,
    day: Period,
    month: Period,
}

/// A time period in hours or days, oldest first.
struct Period {
    buckets: Vec<Bucket>,
    latencies: Latencies,
}

struct Bucket {
    start: Timestamp,
    succeeded: u32,
    failed: u32,
}

impl Health {
    pub async fn load(ctx: &RequestContext, webhook: &Webhook) -> Result<Self, StoreError> {
        let (account, now) = (ctx.account(), ctx.now);
        let zone = &ctx.preferences.zone;
        let mut day = Period::hourly(now);
        let mut month = Period::daily(now, zone);
        let ids = std::slice::from_ref(&webhook.id);
        for hour in account.webhook_activity(ids, month.start()).await? {
            day.add(&hour);
            month.add(&hour);
        }
        day.latencies = account.webhook_latencies(&webhook.id, day.start()).await?;
        month.latencies = account.webhook_latencies(&webhook.id, month.start()).await?;
        Ok(Self {
            failing: webhook.failing,
            day,
            month,
        })
    }
}

impl Period {
    /// The last 24 hours.
    fn hourly(now: Timestamp) -> Self {
        let last = now.as_millis().div_euclid(HOUR) * HOUR;
        Self::new((0..24).map(|back| Timestamp::from_millis(last - back * HOUR)))
    }

    /// The last 30 calendar days in this time zone.
    fn daily(now: Timestamp, zone: &Zone) -> Self {
        Self::new((0..30).map(|back| zone.start_of_day(now, back)))
    }

    /// Creates empty buckets from their starts, newest first.
    fn new(starts: impl DoubleEndedIterator<Item = Timestamp>) -> Self {
        let buckets = starts.rev().map(|start| Bucket {
            start,
            succeeded: 0,
            failed: 0,
        });
        Self {
            buckets: buckets.collect(),
            latencies: Latencies::default(),
        }
    }

    fn start(&self) -> Timestamp {
        self.buckets
            .first()
            .map_or(Timestamp::from_millis(0), |bucket| bucket.start)
    }

    fn add(&mut self, hour: &HourlyActivity) {
        let after = self.buckets.partition_point(|bucket| bucket.start <= hour.hour);
        if let Some(bucket) = after.checked_sub(1).and_then(|index| self.buckets.get_mut(index)) {
            bucket.succeeded = bucket.succeeded.saturating_add(hour.succeeded);
            bucket.failed = bucket.failed.saturating_add(hour.failed);
        }
    }

    fn succeeded(&self) -> u64 {
        self.buckets
            .iter()
            .map(|bucket| u64::from(bucket.succeeded))
            .sum()
    }

    fn attempts(&self) -> u64 {
        let failed: u64 = self.buckets.iter().map(|bucket| u64::from(bucket.failed)).sum();
        self.succeeded() + failed
    }

    /// Returns `98.4 %`. Rounded down, so that it is 100 % only if no attempt failed.
    fn success_rate(&self) -> Option<String> {
        let (succeeded, attempts) = (self.succeeded(), self.attempts());
        let per_mille = (succeeded * 1_000).checked_div(attempts)?;
        Some(format!("{}.{} %", per_mille / 10, per_mille % 10))
    }
}

#[component]
pub fn HealthSection(health: Health, now: Timestamp) -> impl IntoView {
    let Health { failing, day, month } = health;
    let zone = use_zone();
    if month.attempts() == 0 {
        return ().into_any();
    }
    view! {
        <section class="health" aria-labelledby="health">
            <h2 id="health">"Health"</h2>
            {failing.map(|series| view! { <FailingNotice series now/> })}
            <div class="health__periods">
                <PeriodCard title="Last 24 hours" unit="hour" period=day name={
                    let zone = zone.clone();
                    move |bucket| hour(bucket.start, &zone)
                }/>
                <PeriodCard title="Last 30 days" unit="day" period=month name=move |bucket| time_ago::day(bucket.start, now, &zone)/>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn PeriodCard(
    title: &'static str,
    unit: &'static str,
    period: Period,
    name: impl Fn(&Bucket) -> String,
) -> impl IntoView {
    let attempts = period.attempts();
    let format_latency = |latency: Option<Duration>| latency.map_or_else(|| "–".to_owned(), duration);
    let heading = if unit == "hour" { "Hour" } else { "Day" };
    let label = format!(
        "{title}, by {unit}: {} of {} succeeded",
        format_number(period.succeeded()),
        pluralize(attempts, "attempt", "attempts")
    );
    let counts = period
        .buckets
        .iter()
        .map(|bucket| (bucket.succeeded, bucket.failed));
    let rows = period
        .buckets
        .iter()
        .rev()
        .filter(|bucket| bucket.succeeded + bucket.failed > 0);
    let rows = rows.map(|bucket| {
        view! {
            <tr>
                <th scope="row">{name(bucket)}</th>
                <td>{format_number(bucket.succeeded.into())}</td>
                <td>{format_number(bucket.failed.into())}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let chart = view! { <BarChart counts=counts.collect() height=32 label/> };
    view! {
        <div class="card period">
            <h3>{title}</h3>
            <dl class="figures">
                <div><dt>"Succeeded"</dt><dd>{period.success_rate().unwrap_or_else(|| "–".to_owned())}</dd></div>
                <div><dt>"Attempts"</dt><dd>{format_number(attempts)}</dd></div>
                <div><dt>"p50"</dt><dd>{format_latency(period.latencies.percentile(50))}</dd></div>
                <div><dt>"p95"</dt><dd>{format_latency(period.latencies.percentile(95))}</dd></div>
            </dl>
            {chart}
            <details>
                <summary>"Show as table"</summary>
                <table class="plain">
                    <thead>
                        <tr><th scope="col">{heading}</th><th scope="col">"Succeeded"</th><th scope="col">"Failed"</th></tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </details>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_hours_and_rounds_success_rate_down() {
        let now = Timestamp::from_millis(1_795_429_800_000);
        let mut period = Period::daily(now, &Zone::default());
        assert_eq!(period.success_rate(), None);
        let hour = |days_ago: i64, succeeded, failed| HourlyActivity {
            webhook_id: "wh_00000000000000000000000000000001".parse().unwrap(),
            hour: Timestamp::from_millis((now.as_millis().div_euclid(HOUR) - days_ago * 24) * HOUR),
            succeeded,
            failed,
        };
        for hour in [hour(0, 99_999, 0), hour(29, 0, 1), hour(30, 0, 9)] {
            period.add(&hour);
        }
        assert_eq!(period.attempts(), 100_000);
        assert_eq!(period.success_rate().unwrap(), "99.9 %");
        let last = period.buckets.last().unwrap();
        assert_eq!((last.succeeded, last.failed), (99_999, 0));
    }
}
