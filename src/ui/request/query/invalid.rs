//! Filter values that cannot be parsed. Nothing matches them, and they stay visible in their fields.

use std::str::FromStr;

use crate::{domain::Timestamp, ui::request::query::parse_timestamp};

/// Maximum length of a kept value in characters.
const MAX_LENGTH: usize = 300;

/// The invalid values of a query, by parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvalidValues(Vec<(&'static str, String)>);

impl InvalidValues {
    /// Returns whether no entry can match, because a value is invalid.
    pub fn match_nothing(&self) -> bool {
        !self.0.is_empty()
    }

    /// Returns the invalid value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(other, _)| *other == name);
        value.map(|(_, value)| value.as_str())
    }

    /// Returns the text that the field of a parameter shows: its valid value, else its invalid one.
    pub fn shown(&self, name: &str, valid: Option<impl Into<String>>) -> String {
        let invalid = || self.get(name).unwrap_or_default().to_owned();
        valid.map_or_else(invalid, Into::into)
    }

    /// Parses a value, and keeps it if it is invalid. The last value of a parameter replaces earlier ones.
    pub(super) fn parse<T: FromStr>(&mut self, name: &'static str, value: &str) -> Option<T> {
        self.parse_with(name, value, |value| value.parse().ok())
    }

    pub(super) fn parse_time(&mut self, name: &'static str, value: &str) -> Option<Timestamp> {
        self.parse_with(name, value, parse_timestamp)
    }

    pub(super) fn parse_with<T>(
        &mut self,
        name: &'static str,
        value: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.0.retain(|(other, _)| *other != name);
        if value.is_empty() {
            return None;
        }
        let parsed = parse(value);
        if parsed.is_none() {
            let kept: String = value.chars().take(MAX_LENGTH).collect();
            self.0.push((name, kept.trim_end().to_owned()));
        }
        parsed
    }
}
