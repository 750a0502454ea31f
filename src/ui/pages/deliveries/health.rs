//! How a webhook is: what succeeded, how fast, and what happens next if nothing does.

use std::time::Duration;

use leptos::prelude::*;

use crate::{
    domain::{Latencies, Timestamp, Webhook, WebhookStatus},
    store::{HourOfActivity, StoreError},
    ui::{
        components::{
            bar_chart::BarChart,
            count::{counted, grouped},
            failing_notice::FailingNotice,
            time_ago::{self, duration, hour},
        },
        request::{
            visit::Visit,
            zone::{Zone, use_zone},
        },
    },
};

const HOUR: i64 = 3_600_000;

/// What the section shows.
pub struct Health {
    failing: Option<Timestamp>,
    day: Period,
    month: Period,
}

/// A stretch of time in equal parts, the newest last.
struct Period {
    parts: Vec<Part>,
    latencies: Latencies,
}

struct Part {
    start: Timestamp,
    succeeded: u32,
    failed: u32,
}

impl Health {
    pub async fn load(visit: &Visit, webhook: &Webhook) -> Result<Self, StoreError> {
        let (account, now) = (visit.account(), visit.now);
        let zone = &visit.preferences.zone;
        let mut day = Period::of_hours(now);
        let mut month = Period::of_days(now, zone);
        let ids = std::slice::from_ref(&webhook.id);
        for hour in account.webhook_activity(ids, month.start()).await? {
            day.add(&hour);
            month.add(&hour);
        }
        day.latencies = account.webhook_latencies(&webhook.id, day.start()).await?;
        month.latencies = account.webhook_latencies(&webhook.id, month.start()).await?;
        let failing = webhook
            .failing_since
            .filter(|_| webhook.status == WebhookStatus::Failing);
        Ok(Self { failing, day, month })
    }
}

impl Period {
    fn of_hours(now: Timestamp) -> Self {
        let last = now.as_millis().div_euclid(HOUR) * HOUR;
        Self::of((0..24).map(|back| Timestamp::from_millis(last - back * HOUR)))
    }

    /// As the calendar of the zone has them.
    fn of_days(now: Timestamp, zone: &Zone) -> Self {
        Self::of((0..30).map(|back| zone.start_of_day(now, back)))
    }

    /// The newest first.
    fn of(starts: impl DoubleEndedIterator<Item = Timestamp>) -> Self {
        let parts = starts.rev().map(|start| Part {
            start,
            succeeded: 0,
            failed: 0,
        });
        Self {
            parts: parts.collect(),
            latencies: Latencies::default(),
        }
    }

    fn start(&self) -> Timestamp {
        self.parts
            .first()
            .map_or(Timestamp::from_millis(0), |part| part.start)
    }

    fn add(&mut self, hour: &HourOfActivity) {
        let after = self.parts.partition_point(|part| part.start <= hour.hour);
        if let Some(part) = after.checked_sub(1).and_then(|index| self.parts.get_mut(index)) {
            part.succeeded = part.succeeded.saturating_add(hour.succeeded);
            part.failed = part.failed.saturating_add(hour.failed);
        }
    }

    fn succeeded(&self) -> u64 {
        self.parts.iter().map(|part| u64::from(part.succeeded)).sum()
    }

    fn attempts(&self) -> u64 {
        let failed: u64 = self.parts.iter().map(|part| u64::from(part.failed)).sum();
        self.succeeded() + failed
    }

    /// `98.4 %`; 100 % only if nothing failed.
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
            {failing.map(|since| view! { <FailingNotice since now/> })}
            <div class="health__periods">
                <PeriodFigures title="Last 24 hours" unit="hour" period=day name={
                    let zone = zone.clone();
                    move |part| hour(part.start, &zone)
                }/>
                <PeriodFigures title="Last 30 days" unit="day" period=month name=move |part| time_ago::day(part.start, now, &zone)/>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn PeriodFigures(
    title: &'static str,
    unit: &'static str,
    period: Period,
    name: impl Fn(&Part) -> String,
) -> impl IntoView {
    let attempts = period.attempts();
    let told = |latency: Option<Duration>| latency.map_or_else(|| "–".to_owned(), duration);
    let label = format!(
        "{title}, by {unit}: {} of {} succeeded",
        grouped(period.succeeded()),
        counted(attempts, "attempt", "attempts")
    );
    let counts = period.parts.iter().map(|part| (part.succeeded, part.failed));
    let rows = period
        .parts
        .iter()
        .rev()
        .filter(|part| part.succeeded + part.failed > 0);
    let rows = rows.map(|part| {
        view! {
            <tr>
                <th scope="row">{name(part)}</th>
                <td>{grouped(part.succeeded.into())}</td>
                <td>{grouped(part.failed.into())}</td>
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
                <div><dt>"Attempts"</dt><dd>{grouped(attempts)}</dd></div>
                <div><dt>"p50"</dt><dd>{told(period.latencies.percentile(50))}</dd></div>
                <div><dt>"p95"</dt><dd>{told(period.latencies.percentile(95))}</dd></div>
            </dl>
            {chart}
            <details>
                <summary>"As a table"</summary>
                <table class="plain">
                    <thead>
                        <tr><th scope="col">{format!("By {unit}")}</th><th scope="col">"Succeeded"</th><th scope="col">"Failed"</th></tr>
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
    fn hours_add_up_and_one_failure_is_never_100_per_cent() {
        let now = Timestamp::from_millis(1_795_429_800_000);
        let mut period = Period::of_days(now, &Zone::default());
        assert_eq!(period.success_rate(), None);
        let hour = |days_ago: i64, succeeded, failed| HourOfActivity {
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
        let last = period.parts.last().unwrap();
        assert_eq!((last.succeeded, last.failed), (99_999, 0));
    }
}
