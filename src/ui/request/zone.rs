//! The time zone in which somebody reads a page.
//!
//! A browser tells its zone to scripts only: [`ZoneKeeper`](crate::ui::islands::zone_keeper::ZoneKeeper) leaves it in a
//! cookie, so that whole pages come in it from the server. Who has no script, or wants another zone, chooses one.

use axum_extra::extract::cookie::CookieJar;
use jiff::{ToSpan, ZonedDateTime, civil::DateTime, tz, tz::TimeZone};
use leptos::prelude::use_context;

use crate::{domain::Timestamp, ui::islands::zone_keeper::COOKIE};

/// Of the choice; it wins.
pub const CHOSEN: &str = "chosen-zone";

/// UTC, as long as nothing is known.
#[derive(Debug, Clone)]
pub struct Zone {
    zone: TimeZone,
    pub origin: Origin,
}

/// How a zone is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Unknown,
    Browser,
    Chosen,
}

impl Default for Zone {
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            origin: Origin::Unknown,
        }
    }
}

impl Zone {
    pub fn of(cookies: &CookieJar) -> Self {
        let known = |name, origin| Self::parse(cookies.get(name)?.value(), origin);
        known(CHOSEN, Origin::Chosen)
            .or_else(|| known(COOKIE, Origin::Browser))
            .unwrap_or_default()
    }

    /// By its name in the time zone database, such as `Europe/Berlin`.
    pub fn parse(name: &str, origin: Origin) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        Some(Self { zone, origin })
    }

    /// Every zone there is, by name.
    pub fn names() -> Vec<String> {
        let mut names: Vec<_> = tz::db()
            .available()
            .map(|name| name.as_str().to_owned())
            .filter(|name| name == "UTC" || (name.contains('/') && !name.starts_with("Etc/")))
            .collect();
        names.sort_unstable();
        names
    }

    pub fn name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The same moment on this zone's clocks; out of range becomes 1970.
    pub fn local(&self, at: Timestamp) -> ZonedDateTime {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
        at.to_zoned_datetime(self.zone.clone())
    }

    /// `CET`, `UTC`, `UTC-03` where nobody has agreed on a name.
    pub fn abbreviation(&self, at: Timestamp) -> String {
        let name = self.local(at).strftime("%Z").to_string();
        if name.starts_with(['+', '-']) {
            format!("UTC{name}")
        } else {
            name
        }
    }

    /// Midnight before `at`, or that of `days` earlier.
    pub fn start_of_day(&self, at: Timestamp, days: i64) -> Timestamp {
        let date = self.local(at).date().saturating_sub(days.days());
        let start = date.to_zoned_datetime(self.zone.clone());
        start.map_or(at, |start| {
            Timestamp::from_millis(start.timestamp().as_millisecond())
        })
    }

    /// What a field for date and time holds, `2026-11-23T11:00`. Between two clocks, in autumn, it is the earlier one.
    pub fn read_field(&self, text: &str) -> Option<Timestamp> {
        let at = text
            .parse::<DateTime>()
            .ok()?
            .to_zoned_datetime(self.zone.clone())
            .ok()?;
        Some(Timestamp::from_millis(at.timestamp().as_millisecond()))
    }

    /// The way back. What was given in seconds stays so.
    pub fn field(&self, at: Timestamp) -> String {
        let format = if at.as_secs() % 60 == 0 {
            "%Y-%m-%dT%H:%M"
        } else {
            "%Y-%m-%dT%H:%M:%S"
        };
        self.local(at).strftime(format).to_string()
    }
}

/// That of the page which is being rendered.
pub fn use_zone() -> Zone {
    use_context().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;

    /// 2026-11-23T10:00:00Z
    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    fn zone(name: &str) -> Zone {
        Zone::parse(name, Origin::Browser).unwrap()
    }

    #[test]
    fn the_choice_wins_over_what_the_browser_says() {
        let of = |cookies: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("cookie", cookies.parse().unwrap());
            let zone = Zone::of(&CookieJar::from_headers(&headers));
            (zone.name().to_owned(), zone.origin)
        };
        assert_eq!(of("a=b"), ("UTC".into(), Origin::Unknown));
        assert_eq!(of("zone=Asia/Tokyo"), ("Asia/Tokyo".into(), Origin::Browser));
        let both = of("zone=Asia/Tokyo; chosen-zone=Europe/Berlin");
        assert_eq!(both, ("Europe/Berlin".into(), Origin::Chosen));
        // Anybody may write anything into a cookie.
        for hostile in ["../../etc/passwd", "Mars/Phobos", "%00", ""] {
            assert_eq!(of(&format!("zone={hostile}")).1, Origin::Unknown, "{hostile}");
        }
    }

    #[test]
    fn fields_are_read_and_written_in_the_zone() {
        let berlin = zone("Europe/Berlin");
        assert_eq!(berlin.field(NOW), "2026-11-23T11:00");
        assert_eq!(berlin.read_field("2026-11-23T11:00"), Some(NOW));
        let seconds = Timestamp::from_millis(NOW.as_millis() + 7_000);
        assert_eq!(berlin.read_field(&berlin.field(seconds)), Some(seconds));
        assert_eq!(berlin.read_field("yesterday"), None);
        assert_eq!(berlin.read_field("2026-11-23T11:00Z"), None);
        // Daylight saving time.
        let summer = berlin.read_field("2026-07-01T12:00").unwrap();
        assert_eq!(summer.rfc3339(), "2026-07-01T10:00:00.000Z");
    }

    #[test]
    fn days_begin_at_the_zones_own_midnight_also_when_the_clocks_change() {
        let berlin = zone("Europe/Berlin");
        let start = |days| berlin.start_of_day(NOW, days).rfc3339();
        assert_eq!(start(0), "2026-11-22T23:00:00.000Z");
        assert_eq!(start(29), "2026-10-24T22:00:00.000Z");
        assert_eq!(
            zone("Asia/Kolkata").start_of_day(NOW, 0).rfc3339(),
            "2026-11-22T18:30:00.000Z"
        );
    }

    #[test]
    fn zones_without_a_name_are_named_by_their_distance() {
        assert_eq!(zone("Europe/Berlin").abbreviation(NOW), "CET");
        assert_eq!(zone("America/Sao_Paulo").abbreviation(NOW), "UTC-03");
        assert_eq!(Zone::default().abbreviation(NOW), "UTC");
    }

    #[test]
    fn every_zone_that_is_offered_can_be_chosen() {
        let names = Zone::names();
        assert!(names.len() > 300 && names.contains(&"UTC".to_owned()));
        for name in names {
            assert!(Zone::parse(&name, Origin::Chosen).is_some(), "{name}");
        }
    }
}
