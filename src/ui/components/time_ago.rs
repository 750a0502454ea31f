//! Moments as people say them, on the clocks of the viewer's zone. All written by the server.

use std::time::Duration;

use leptos::prelude::*;

use crate::{
    domain::Timestamp,
    ui::request::zone::{Zone, use_zone},
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// “2 min ago”, with the exact moment in its tooltip.
#[component]
pub fn TimeAgo(at: Timestamp, now: Timestamp) -> impl IntoView {
    let zone = use_zone();
    view! { <time datetime=at.rfc3339() title=exact(at, &zone)>{relative(at, now, &zone)}</time> }
}

/// The exact moment, with its distance in the tooltip.
#[component]
pub fn Moment(at: Timestamp, now: Timestamp) -> impl IntoView {
    let zone = use_zone();
    view! { <time datetime=at.rfc3339() title=relative(at, now, &zone)>{exact(at, &zone)}</time> }
}

/// `10:00:03`; the day stands above it.
#[component]
pub fn TimeOfDay(at: Timestamp) -> impl IntoView {
    let zone = use_zone();
    view! { <time datetime=at.rfc3339() title=exact(at, &zone)>{time_of_day(at, &zone)}</time> }
}

/// `just now`, `40 s ago`, `2 min ago`, `in 5 min`, `3 h ago`, `6 d ago`; further away the date.
pub fn relative(at: Timestamp, now: Timestamp, zone: &Zone) -> String {
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
        return date(at, zone);
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

/// A length of time in full: `2 d 3 h 35 min`. What is shorter than a second only counts if there is nothing else.
pub fn in_full(length: Duration) -> String {
    let seconds = length.as_secs();
    let parts = [
        (seconds / DAY, "d"),
        (seconds % DAY / HOUR, "h"),
        (seconds % HOUR / MINUTE, "min"),
        (seconds % MINUTE, "s"),
    ];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    let parts: Vec<_> = parts.map(|(number, unit)| format!("{number} {unit}")).collect();
    if parts.is_empty() {
        duration(length)
    } else {
        parts.join(" ")
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
pub fn exact(at: Timestamp, zone: &Zone) -> String {
    format!(
        "{}, {} {}",
        date(at, zone),
        time_of_day(at, zone),
        zone.abbreviation(at)
    )
}

/// `10:00`, the start of an hour; half past, where clocks are half an hour off.
pub fn hour(at: Timestamp, zone: &Zone) -> String {
    zone.local(at).strftime("%H:%M").to_string()
}

/// The heading over a day's entries: `Today`, `Yesterday`, `Monday, 16 November 2026`.
pub fn day(at: Timestamp, now: Timestamp, zone: &Zone) -> String {
    let (day, today) = (zone.local(at).date(), zone.local(now).date());
    if day == today {
        "Today".into()
    } else if today.yesterday().is_ok_and(|yesterday| yesterday == day) {
        "Yesterday".into()
    } else {
        day.strftime("%A, %-d %B %Y").to_string()
    }
}

/// What stands in the order of time, under the names of its days.
pub fn by_day<T>(entries: Vec<T>, now: Timestamp, at: impl Fn(&T) -> Timestamp) -> Vec<(String, Vec<T>)> {
    let zone = use_zone();
    let mut days: Vec<(String, Vec<T>)> = Vec::new();
    for entry in entries {
        let name = day(at(&entry), now, &zone);
        match days.last_mut() {
            Some((last, of_day)) if *last == name => of_day.push(entry),
            _ => days.push((name, vec![entry])),
        }
    }
    days
}

fn date(at: Timestamp, zone: &Zone) -> String {
    zone.local(at).strftime("%-d %b %Y").to_string()
}

fn time_of_day(at: Timestamp, zone: &Zone) -> String {
    zone.local(at).strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::request::zone::Origin;

    /// 2026-11-23T10:00:00Z, a Monday.
    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    fn berlin() -> Zone {
        Zone::parse("Europe/Berlin", Origin::Browser).unwrap()
    }

    #[test]
    fn the_past_and_the_future_in_their_largest_unit() {
        let said: Vec<_> = [0, 4, 5, 59, 60, 3599, 3600, 86_399, 86_400, 29 * 86_400]
            .map(|seconds| relative(NOW.minus(Duration::from_secs(seconds)), NOW, &Zone::default()))
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
        let month_ago = NOW.minus(Duration::from_secs(30 * DAY));
        assert_eq!(relative(month_ago, NOW, &Zone::default()), "24 Oct 2026");
        let ahead = |seconds| relative(NOW.plus(Duration::from_secs(seconds)), NOW, &Zone::default());
        assert_eq!(ahead(300), "in 5 min");
        assert_eq!(ahead(1), "in a moment");
    }

    #[test]
    fn exact_moments_and_durations() {
        let at = NOW.plus(Duration::from_secs(3));
        assert_eq!(exact(at, &Zone::default()), "23 Nov 2026, 10:00:03 UTC");
        assert_eq!(exact(at, &berlin()), "23 Nov 2026, 11:00:03 CET");
        assert_eq!(duration(Duration::from_millis(87)), "87 ms");
        assert_eq!(duration(Duration::from_millis(1_240)), "1.24 s");
        assert_eq!(
            in_full(Duration::from_secs(2 * DAY + 35 * MINUTE + 5)),
            "2 d 35 min 5 s"
        );
        assert_eq!(in_full(Duration::from_millis(50)), "50 ms");
    }

    #[test]
    fn days_are_named_as_people_say_them() {
        let ago = |seconds, zone: &Zone| day(NOW.minus(Duration::from_secs(seconds)), NOW, zone);
        let utc = Zone::default();
        assert_eq!(ago(0, &utc), "Today");
        assert_eq!(ago(10 * HOUR + 1, &utc), "Yesterday");
        assert_eq!(ago(7 * DAY, &utc), "Monday, 16 November 2026");
        // It is eleven there already.
        assert_eq!(ago(10 * HOUR + 1, &berlin()), "Today");
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
