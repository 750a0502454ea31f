//! The time zone in which a page shows times.
//!
//! Only scripts can read the zone of the browser. The island
//! [`TimeZoneCookie`](crate::ui::islands::time_zone_cookie::TimeZoneCookie) stores it in a cookie, so that the server
//! renders times in it. Users without JavaScript, or who want another zone, choose one.

use axum_extra::extract::cookie::CookieJar;
use jiff::{ToSpan, ZonedDateTime, civil::DateTime, tz, tz::TimeZone};
use leptos::prelude::use_context;

use crate::{domain::Timestamp, ui::islands::time_zone_cookie::ZONE_COOKIE};

/// Cookie with the zone that the user chose. Takes precedence over the zone of the browser.
pub const CHOSEN_ZONE_COOKIE: &str = "chosen-zone";

/// A time zone. Defaults to UTC.
#[derive(Debug, Clone)]
pub struct Zone {
    zone: TimeZone,
    pub source: ZoneSource,
}

/// Source of a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneSource {
    Unknown,
    Browser,
    Chosen,
}

impl Default for Zone {
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            source: ZoneSource::Unknown,
        }
    }
}

impl Zone {
    pub fn from_cookies(cookies: &CookieJar) -> Self {
        let read = |name, source| Self::parse(cookies.get(name)?.value(), source);
        read(CHOSEN_ZONE_COOKIE, ZoneSource::Chosen)
            .or_else(|| read(ZONE_COOKIE, ZoneSource::Browser))
            .unwrap_or_default()
    }

    /// Parses a name of the time zone database, such as `Europe/Berlin`.
    pub fn parse(name: &str, source: ZoneSource) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        Some(Self { zone, source })
    }

    /// Returns the names of all zones, sorted.
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

    /// Converts to local time. A timestamp out of range becomes 1970.
    pub fn to_local(&self, at: Timestamp) -> ZonedDateTime {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
        at.to_zoned_datetime(self.zone.clone())
    }

    /// Returns `CET`, `UTC` or, for a zone without an abbreviation, `UTC-03`.
    pub fn abbreviation(&self, at: Timestamp) -> String {
        let name = self.to_local(at).strftime("%Z").to_string();
        if name.starts_with(['+', '-']) {
            format!("UTC{name}")
        } else {
            name
        }
    }

    /// Returns midnight at the start of the day that is `days` before `at`.
    pub fn start_of_day(&self, at: Timestamp, days: i64) -> Timestamp {
        let date = self.to_local(at).date().saturating_sub(days.days());
        let start = date.to_zoned_datetime(self.zone.clone());
        start.map_or(at, |start| {
            Timestamp::from_millis(start.timestamp().as_millisecond())
        })
    }

    /// Parses the value of a `datetime-local` field, such as `2026-11-23T11:00`. An ambiguous time, at the end of daylight
    /// saving time, is the earlier one.
    pub fn parse_field(&self, text: &str) -> Option<Timestamp> {
        let at = text
            .parse::<DateTime>()
            .ok()?
            .to_zoned_datetime(self.zone.clone())
            .ok()?;
        Some(Timestamp::from_millis(at.timestamp().as_millisecond()))
    }

    /// Formats the value of a `datetime-local` field. Omits the seconds if they are zero.
    pub fn format_field(&self, at: Timestamp) -> String {
        let format = if at.as_secs() % 60 == 0 {
            "%Y-%m-%dT%H:%M"
        } else {
            "%Y-%m-%dT%H:%M:%S"
        };
        self.to_local(at).strftime(format).to_string()
    }
}

/// Returns the zone of the page being rendered.
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
        Zone::parse(name, ZoneSource::Browser).unwrap()
    }

    #[test]
    fn chosen_zone_overrides_browser_zone() {
        let read = |cookies: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("cookie", cookies.parse().unwrap());
            let zone = Zone::from_cookies(&CookieJar::from_headers(&headers));
            (zone.name().to_owned(), zone.source)
        };
        assert_eq!(read("a=b"), ("UTC".into(), ZoneSource::Unknown));
        assert_eq!(
            read("zone=Asia/Tokyo"),
            ("Asia/Tokyo".into(), ZoneSource::Browser)
        );
        let both = read("zone=Asia/Tokyo; chosen-zone=Europe/Berlin");
        assert_eq!(both, ("Europe/Berlin".into(), ZoneSource::Chosen));
        // Cookies are user input.
        for hostile in ["../../etc/passwd", "Mars/Phobos", "%00", ""] {
            assert_eq!(
                read(&format!("zone={hostile}")).1,
                ZoneSource::Unknown,
                "{hostile}"
            );
        }
    }

    #[test]
    fn formats_and_parses_fields_in_zone() {
        let berlin = zone("Europe/Berlin");
        assert_eq!(berlin.format_field(NOW), "2026-11-23T11:00");
        assert_eq!(berlin.parse_field("2026-11-23T11:00"), Some(NOW));
        let seconds = Timestamp::from_millis(NOW.as_millis() + 7_000);
        assert_eq!(berlin.parse_field(&berlin.format_field(seconds)), Some(seconds));
        assert_eq!(berlin.parse_field("yesterday"), None);
        assert_eq!(berlin.parse_field("2026-11-23T11:00Z"), None);
        // Daylight saving time.
        let summer = berlin.parse_field("2026-07-01T12:00").unwrap();
        assert_eq!(summer.rfc3339(), "2026-07-01T10:00:00.000Z");
    }

    #[test]
    fn days_start_at_local_midnight() {
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
    fn zone_without_abbreviation_shows_offset() {
        assert_eq!(zone("Europe/Berlin").abbreviation(NOW), "CET");
        assert_eq!(zone("America/Sao_Paulo").abbreviation(NOW), "UTC-03");
        assert_eq!(Zone::default().abbreviation(NOW), "UTC");
    }

    #[test]
    fn all_listed_zones_parse() {
        let names = Zone::names();
        assert!(names.len() > 300 && names.contains(&"UTC".to_owned()));
        for name in names {
            assert!(Zone::parse(&name, ZoneSource::Chosen).is_some(), "{name}");
        }
    }
}
