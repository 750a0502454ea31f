//! Times and durations as text, in the time zone of the viewer. Rendered by the server.

use std::time::Duration;

use leptos::prelude::*;

use crate::{
    domain::Timestamp,
    ui::request::zone::{Zone, use_zone},
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A relative time, “2 min ago”, with the exact time in its tooltip.
#[component]
pub fn TimeAgo(at: Timestamp, now: Timestamp) -> impl IntoView {
    let zone = use_zone();
    view! { <time datetime=at.rfc3339() title=exact(at, &zone)>{relative(at, now, &zone)}</time> }
}

/// The exact time, with the relative time in its tooltip.
#[component]
pub fn ExactTime(at: Timestamp, now: Timestamp) -> impl IntoView {
    let zone = use_zone();
    view! { <time datetime=at.rfc3339() title=relative(at, now, &zone)>{exact(at, &zone)}</time> }
}

/// The time of day, `10:00:03`, for entries under the heading of their day.
#[component]
pub fn TimeOfDay(at: Timestamp) -> impl IntoView {
    let zone = use_zone();
    view! { <time datetime=at.rfc3339() title=exact(at, &zone)>{time_of_day(at, &zone)}</time> }
}

/// Formats a time relative to now: `just now`, `40 s ago`, `2 min ago`, `in 5 min`, `3 h ago`, `6 d ago`. Times that are
/// 30 days away or more become a date.
pub fn relative(at: Timestamp, now: Timestamp, zone: &Zone) -> String {
    let future = at > now;
    let distance = if future { at.since(now) } else { now.since(at) };
    let seconds = distance.as_secs();
    if seconds < 5 {
        return if future {
            "in a moment".into()
        } else {
            "just now".into()
        };
    }
    if seconds >= 30 * DAY {
        return date(at, zone);
    }
    let text = short_duration(distance);
    if future {
        format!("in {text}")
    } else {
        format!("{text} ago")
    }
}

/// Formats a duration in its largest unit, rounded down: `40 s`, `2 min`, `3 h`, `6 d`.
pub fn short_duration(length: Duration) -> String {
    match length.as_secs() {
        s @ 0..MINUTE => format!("{s} s"),
        s @ MINUTE..HOUR => format!("{} min", s / MINUTE),
        s @ HOUR..DAY => format!("{} h", s / HOUR),
        s => format!("{} d", s / DAY),
    }
}

/// Formats a duration in all units down to seconds: `2 d 3 h 35 min`. Milliseconds are shown only below one second.
pub fn full_duration(length: Duration) -> String {
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

/// Formats the duration of a request: `87 ms`, `1.24 s`.
pub fn duration(length: Duration) -> String {
    match length.as_millis() {
        ms @ 0..1000 => format!("{ms} ms"),
        _ => format!("{:.2} s", length.as_secs_f64()),
    }
}

/// Formats an exact time: `23 Nov 2026, 10:00:03 UTC`.
pub fn exact(at: Timestamp, zone: &Zone) -> String {
    format!(
        "{}, {} {}",
        date(at, zone),
        time_of_day(at, zone),
        zone.abbreviation(at)
    )
}

/// Formats the start of an hour: `10:00`, or `10:30` in zones with an offset of half an hour.
pub fn hour(at: Timestamp, zone: &Zone) -> String {
    zone.to_local(at).strftime("%H:%M").to_string()
}

/// Formats a day as a heading: `Today`, `Yesterday`, `Monday, 16 November 2026`.
pub fn day(at: Timestamp, now: Timestamp, zone: &Zone) -> String {
    let (day, today) = (zone.to_local(at).date(), zone.to_local(now).date());
    if day == today {
        "Today".into()
    } else if today.yesterday().is_ok_and(|yesterday| yesterday == day) {
        "Yesterday".into()
    } else {
        day.strftime("%A, %-d %B %Y").to_string()
    }
}

/// Groups entries, which are sorted by time, under the headings of their days.
pub fn group_by_day<T>(
    entries: Vec<T>,
    now: Timestamp,
    at: impl Fn(&T) -> Timestamp,
) -> Vec<(String, Vec<T>)> {
    let zone = use_zone();
    let mut days: Vec<(String, Vec<T>)> = Vec::new();
    for entry in entries {
        let heading = day(at(&entry), now, &zone);
        match days.last_mut() {
            Some((last, day_entries)) if *last == heading => day_entries.push(entry),
            _ => days.push((heading, vec![entry])),
        }
    }
    days
}

fn date(at: Timestamp, zone: &Zone) -> String {
    zone.to_local(at).strftime("%-d %b %Y").to_string()
}

fn time_of_day(at: Timestamp, zone: &Zone) -> String {
    zone.to_local(at).strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::request::zone::ZoneSource;

    /// 2026-11-23T10:00:00Z, a Monday.
    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    fn berlin() -> Zone {
        Zone::parse("Europe/Berlin", ZoneSource::Browser).unwrap()
    }

    #[test]
    fn relative_time_uses_largest_unit() {
        let texts: Vec<_> = [0, 4, 5, 59, 60, 3599, 3600, 86_399, 86_400, 29 * 86_400]
            .map(|seconds| relative(NOW.minus(Duration::from_secs(seconds)), NOW, &Zone::default()))
            .into();
        assert_eq!(
            texts,
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
    fn formats_exact_times_and_durations() {
        let at = NOW.plus(Duration::from_secs(3));
        assert_eq!(exact(at, &Zone::default()), "23 Nov 2026, 10:00:03 UTC");
        assert_eq!(exact(at, &berlin()), "23 Nov 2026, 11:00:03 CET");
        assert_eq!(duration(Duration::from_millis(87)), "87 ms");
        assert_eq!(duration(Duration::from_millis(1_240)), "1.24 s");
        assert_eq!(
            full_duration(Duration::from_secs(2 * DAY + 35 * MINUTE + 5)),
            "2 d 35 min 5 s"
        );
        assert_eq!(full_duration(Duration::from_millis(50)), "50 ms");
    }

    #[test]
    fn recent_days_have_relative_names() {
        let ago = |seconds, zone: &Zone| day(NOW.minus(Duration::from_secs(seconds)), NOW, zone);
        let utc = Zone::default();
        assert_eq!(ago(0, &utc), "Today");
        assert_eq!(ago(10 * HOUR + 1, &utc), "Yesterday");
        assert_eq!(ago(7 * DAY, &utc), "Monday, 16 November 2026");
        // 23:59:59 UTC is already the next day in Berlin.
        assert_eq!(ago(10 * HOUR + 1, &berlin()), "Today");
    }

    #[test]
    fn groups_entries_by_day_and_keeps_their_order() {
        let entries = [0, 9, 11, 12, 40].map(|hours| NOW.minus(Duration::from_secs(hours * HOUR)));
        let days: Vec<_> = group_by_day(entries.into(), NOW, |at| *at)
            .into_iter()
            .map(|(day, entries)| (day, entries.len()))
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
