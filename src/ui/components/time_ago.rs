//! Moments as people say them. All written by the server, in UTC.

use std::time::Duration;

use leptos::prelude::*;

use crate::domain::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// “2 min ago”, with the exact moment in its tooltip.
#[component]
pub fn TimeAgo(at: Timestamp, now: Timestamp) -> impl IntoView {
    view! { <time datetime=at.rfc3339() title=exact(at)>{relative(at, now)}</time> }
}

/// The exact moment, with its distance in the tooltip.
#[component]
pub fn Moment(at: Timestamp, now: Timestamp) -> impl IntoView {
    view! { <time datetime=at.rfc3339() title=relative(at, now)>{exact(at)}</time> }
}

/// `10:00:03`; the day stands above it.
#[component]
pub fn TimeOfDay(at: Timestamp) -> impl IntoView {
    view! { <time datetime=at.rfc3339() title=exact(at)>{time_of_day(at)}</time> }
}

/// `just now`, `40 s ago`, `2 min ago`, `in 5 min`, `3 h ago`, `6 d ago`; further away the date.
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let ahead = at > now;
    let distance = if ahead { at.since(now) } else { now.since(at) };
    let seconds = distance.as_secs();
    if seconds < 5 {
        return if ahead {
            "in a moment".into()
        } else {
            "just now".into()
        };
    }
    if seconds >= 30 * DAY {
        return date(at);
    }
    let span = span(distance);
    if ahead {
        format!("in {span}")
    } else {
        format!("{span} ago")
    }
}

/// A length of time in its largest unit, rounded down: `40 s`, `2 min`, `3 h`, `6 d`.
pub fn span(length: Duration) -> String {
    match length.as_secs() {
        s @ 0..MINUTE => format!("{s} s"),
        s @ MINUTE..HOUR => format!("{} min", s / MINUTE),
        s @ HOUR..DAY => format!("{} h", s / HOUR),
        s => format!("{} d", s / DAY),
    }
}

/// How long a request took: `87 ms`, `1.24 s`.
pub fn duration(length: Duration) -> String {
    match length.as_millis() {
        ms @ 0..1000 => format!("{ms} ms"),
        _ => format!("{:.2} s", length.as_secs_f64()),
    }
}

/// `23 Nov 2026, 10:00:03 UTC`
pub fn exact(at: Timestamp) -> String {
    format!("{}, {} UTC", date(at), time_of_day(at))
}

/// `10:00`, the start of an hour.
pub fn hour(at: Timestamp) -> String {
    format!("{:02}:00", at.utc().hour())
}

/// The heading over a day's entries: `Today`, `Yesterday`, `Monday, 16 November 2026`.
pub fn day(at: Timestamp, now: Timestamp) -> String {
    let (day, today) = (at.utc().date(), now.utc().date());
    if day == today {
        "Today".into()
    } else if Some(day) == today.previous_day() {
        "Yesterday".into()
    } else {
        format!("{}, {} {} {}", day.weekday(), day.day(), day.month(), day.year())
    }
}

/// What stands in the order of time, under the names of its days.
pub fn by_day<T>(entries: Vec<T>, now: Timestamp, at: impl Fn(&T) -> Timestamp) -> Vec<(String, Vec<T>)> {
    let mut days: Vec<(String, Vec<T>)> = Vec::new();
    for entry in entries {
        let name = day(at(&entry), now);
        match days.last_mut() {
            Some((last, of_day)) if *last == name => of_day.push(entry),
            _ => days.push((name, vec![entry])),
        }
    }
    days
}

fn date(at: Timestamp) -> String {
    let date = at.utc().date();
    let month = date.month().to_string();
    format!("{} {} {}", date.day(), &month[..3], date.year())
}

fn time_of_day(at: Timestamp) -> String {
    let (hour, minute, second) = at.utc().time().as_hms();
    format!("{hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23T10:00:00Z, a Monday.
    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    #[test]
    fn the_past_and_the_future_in_their_largest_unit() {
        let said: Vec<_> = [0, 4, 5, 59, 60, 3599, 3600, 86_399, 86_400, 29 * 86_400]
            .map(|seconds| relative(NOW.minus(Duration::from_secs(seconds)), NOW))
            .into();
        assert_eq!(
            said,
            [
                "just now",
                "just now",
                "5 s ago",
                "59 s ago",
                "1 min ago",
                "59 min ago",
                "1 h ago",
                "23 h ago",
                "1 d ago",
                "29 d ago"
            ]
        );
        assert_eq!(
            relative(NOW.minus(Duration::from_secs(30 * DAY)), NOW),
            "24 Oct 2026"
        );
        assert_eq!(relative(NOW.plus(Duration::from_secs(300)), NOW), "in 5 min");
        assert_eq!(relative(NOW.plus(Duration::from_secs(1)), NOW), "in a moment");
    }

    #[test]
    fn exact_moments_and_durations() {
        assert_eq!(
            exact(NOW.plus(Duration::from_secs(3))),
            "23 Nov 2026, 10:00:03 UTC"
        );
        assert_eq!(duration(Duration::from_millis(87)), "87 ms");
        assert_eq!(duration(Duration::from_millis(1_240)), "1.24 s");
    }

    #[test]
    fn days_are_named_as_people_say_them() {
        assert_eq!(day(NOW, NOW), "Today");
        assert_eq!(
            day(NOW.minus(Duration::from_secs(10 * HOUR + 1)), NOW),
            "Yesterday"
        );
        assert_eq!(
            day(NOW.minus(Duration::from_secs(7 * DAY)), NOW),
            "Monday, 16 November 2026"
        );
    }

    #[test]
    fn entries_stand_under_their_day_in_their_order() {
        let entries = [0, 9, 11, 12, 40].map(|hours| NOW.minus(Duration::from_secs(hours * HOUR)));
        let days: Vec<_> = by_day(entries.into(), NOW, |at| *at)
            .into_iter()
            .map(|(day, of_day)| (day, of_day.len()))
            .collect();
        assert_eq!(
            days,
            [
                ("Today".into(), 2),
                ("Yesterday".into(), 2),
                ("Saturday, 21 November 2026".into(), 1)
            ]
        );
    }
}
