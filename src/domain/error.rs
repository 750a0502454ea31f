//! Validation errors of forms and API bodies, with a message for each invalid field.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// Field of a webhook, named as in the API. The order is that of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Field {
    Url,
    Name,
    Secret,
    Events,
    Description,
    Headers,
    Filter,
    RateLimit,
    TimeoutSeconds,
    Retries,
}

impl Field {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns the name in the dashboard.
    pub fn label(self) -> &'static str {
        match self {
            Self::Url => "URL",
            Self::Name => "Webhook name",
            Self::Secret => "Secret",
            Self::Events => "Events",
            Self::Description => "Description",
            Self::Headers => "Headers",
            Self::Filter => "Filter",
            Self::RateLimit => "Rate limit",
            Self::TimeoutSeconds => "Timeout",
            Self::Retries => "Retries",
        }
    }

    /// Returns the words for an empty value.
    pub fn default_words(self) -> &'static str {
        match self {
            Self::TimeoutSeconds => "default",
            Self::Retries => "standard",
            _ => "none",
        }
    }
}

/// Error messages of invalid fields, in the order of the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<(Field, String)>);

impl FieldErrors {
    /// Returns the error of a single field.
    pub fn one(field: Field, message: impl Into<String>) -> Self {
        Self(vec![(field, message.into())])
    }

    /// Returns the parsed value, or adds the error message.
    pub fn keep<T, E: fmt::Display>(&mut self, field: Field, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|error| self.add(field, error.to_string())).ok()
    }

    /// Parses an optional value, which is `None` if the text is blank, or adds the error message.
    pub fn keep_optional<T, E: fmt::Display>(
        &mut self,
        field: Field,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        if text.trim().is_empty() {
            return Some(None);
        }
        self.keep(field, parse(text)).map(Some)
    }

    pub fn add(&mut self, field: Field, message: impl Into<String>) {
        self.0.push((field, message.into()));
        self.0.sort_by_key(|(field, _)| *field);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, field: Field) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| *key == field)
            .map(|(_, message)| message.as_str())
    }

    /// Returns the first invalid field, which gets the focus.
    pub fn first(&self) -> Option<Field> {
        self.0.first().map(|(field, _)| *field)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Field, &str)> {
        self.0.iter().map(|(field, message)| (*field, message.as_str()))
    }
}
