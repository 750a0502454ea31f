//! The retry schedule of this server.

use std::time::Duration;

use leptos::prelude::*;

use crate::{
    domain::{
        RetrySchedule, health,
        retry::{JITTER, MAX_RETRY_AFTER},
    },
    ui::components::{count::pluralize, time_ago::full_duration},
};

#[component]
pub fn RetriesSection(schedule: RetrySchedule) -> impl IntoView {
    let attempts = u64::try_from(schedule.attempts()).unwrap_or(u64::MAX);
    let rows = rows(&schedule)
        .into_iter()
        .enumerate()
        .map(|(index, (delay, elapsed))| {
            view! {
                <tr>
                    <th scope="row">{index + 1}</th>
                    <td>{delay.map_or_else(|| "immediately".to_owned(), full_duration)}</td>
                    <td>{if index == 0 { "–".to_owned() } else { full_duration(elapsed) }}</td>
                </tr>
            }
        });
    view! {
        <section class="card guide" id="retries" aria-labelledby="retries-title">
            <h2 id="retries-title">"Retries"</h2>
            <p>
                {format!(
                    "A call without a 2xx response is retried, up to {} in total. Delays vary by ±{:.0} %, so that calls that \
                     failed together are not retried together. When the last attempt fails, the delivery has failed. \
                     You can resend or recover it from the delivery log.",
                    pluralize(attempts, "attempt", "attempts"),
                    JITTER * 100.0,
                )}
            </p>
            <table class="plain guide__retries">
                <thead>
                    <tr>
                        <th scope="col">"Attempt"</th>
                        <th scope="col">"Delay"</th>
                        <th scope="col">"Since the first attempt"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
            <ul class="guide__steps">
                <li><strong>"3xx"</strong>" is a failure: redirects are not followed."</li>
                <li><strong>"410"</strong>" disables the webhook."</li>
                <li>
                    <strong>"429 and 503"</strong>
                    {format!(
                        " with Retry-After delay the next attempt for that long, up to {}.",
                        full_duration(MAX_RETRY_AFTER)
                    )}
                </li>
                <li>
                    {format!(
                        "After {} without a successful call and at least {} failed calls on at least {} different days, the \
                         webhook is disabled until it is resumed.",
                        full_duration(health::DISABLE_AFTER),
                        health::DISABLE_ATTEMPTS,
                        health::DISABLE_DAYS,
                    )}
                </li>
            </ul>
        </section>
    }
}

/// Returns the delay before each attempt and the time since the first one.
fn rows(schedule: &RetrySchedule) -> Vec<(Option<Duration>, Duration)> {
    let mut elapsed = Duration::ZERO;
    let first = [(None, elapsed)];
    let others = schedule.delays().iter().map(|&delay| {
        elapsed += delay;
        (Some(delay), elapsed)
    });
    first.into_iter().chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_delay_and_time_since_first_attempt() {
        let rows = rows(&"5s,5m".parse().unwrap());
        let texts: Vec<_> = rows
            .into_iter()
            .map(|(delay, elapsed)| (delay.map(full_duration), full_duration(elapsed)))
            .collect();
        assert_eq!(
            texts,
            [
                (None, "0 ms".to_owned()),
                (Some("5 s".to_owned()), "5 s".to_owned()),
                (Some("5 min".to_owned()), "5 min 5 s".to_owned())
            ]
        );
    }
}
