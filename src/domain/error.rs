//! Validation errors of forms and API bodies, with a message for each invalid field.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

/// Field of a webhook, named as in the API. The order is that of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(Display, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Field {
    Url,
    Name,
    Secret,
    Events,
}

impl Field {
    pub fn as_str(self) -> &'static str {
        self.into()
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
