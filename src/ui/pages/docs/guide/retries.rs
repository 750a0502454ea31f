//! When a call is repeated, from the configuration that is in use.

use std::time::Duration;

use leptos::prelude::*;

use crate::{
    domain::{
        RetrySchedule, failing,
        retry::{JITTER, MAX_RETRY_AFTER},
    },
    ui::components::{count::counted, time_ago::in_full},
};

#[component]
pub fn Retries(schedule: RetrySchedule) -> impl IntoView {
    let attempts = u64::try_from(schedule.attempts()).unwrap_or(u64::MAX);
    let rows = rows(&schedule)
        .into_iter()
        .enumerate()
        .map(|(index, (pause, since))| {
            view! {
                <tr>
                    <th scope="row">{index + 1}</th>
                    <td>{pause.map_or_else(|| "at once".to_owned(), in_full)}</td>
                    <td>{if index == 0 { "–".to_owned() } else { in_full(since) }}</td>
                </tr>
            }
        });
    view! {
        <section class="card guide" id="retries" aria-labelledby="retries-title">
            <h2 id="retries-title">"Retries"</h2>
            <p>
                {format!(
                    "What is not answered with 2xx is tried again, with {} in all. Pauses vary by {:.0} %, so that what \
                     failed together does not come back together. After the last one the delivery has failed, and can be \
                     resent or recovered from its log.",
                    counted(attempts, "attempt", "attempts"),
                    JITTER * 100.0,
                )}
            </p>
            <table class="plain guide__retries">
                <thead>
                    <tr>
                        <th scope="col">"Attempt"</th>
                        <th scope="col">"After a pause of"</th>
                        <th scope="col">"Since the first"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
            <ul class="guide__steps">
                <li><strong>"3xx"</strong>" is a failure: redirects are not followed."</li>
                <li><strong>"410"</strong>" disables the webhook: the receiver wants no more."</li>
                <li>
                    <strong>"429 and 503"</strong>
                    {format!(
                        " are heard: with Retry-After, the next attempt waits that long, up to {}.",
                        in_full(MAX_RETRY_AFTER)
                    )}
                </li>
                <li>
                    {format!(
                        "After {} without one success the webhook is disabled, until somebody resumes it.",
                        in_full(failing::AT_MOST)
                    )}
                </li>
            </ul>
        </section>
    }
}

/// Of each attempt, the pause before it and the time since the first.
fn rows(schedule: &RetrySchedule) -> Vec<(Option<Duration>, Duration)> {
    let mut since = Duration::ZERO;
    let first = [(None, since)];
    let others = schedule.pauses().iter().map(|&pause| {
        since += pause;
        (Some(pause), since)
    });
    first.into_iter().chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_has_its_pause_and_its_time_since_the_first() {
        let rows = rows(&"5s,5m".parse().unwrap());
        let told: Vec<_> = rows
            .into_iter()
            .map(|(pause, since)| (pause.map(in_full), in_full(since)))
            .collect();
        assert_eq!(
            told,
            [
                (None, "0 ms".to_owned()),
                (Some("5 s".to_owned()), "5 s".to_owned()),
                (Some("5 min".to_owned()), "5 min 5 s".to_owned())
            ]
        );
    }
}
