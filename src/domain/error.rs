//! What a person is told when a form or an API body is refused: a text for each field, all of them at once.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

/// A field of the webhook form, named as in the API.
///
/// The order is that of the form.
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

/// The refused fields in the order of the form, one text each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<(Field, String)>);

impl FieldErrors {
    pub fn one(field: Field, message: impl Into<String>) -> Self {
        Self(vec![(field, message.into())])
    }

    /// Keeps the value of a field that parsed, and the message of one that did not.
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
            .find(|(at, _)| *at == field)
            .map(|(_, message)| message.as_str())
    }

    /// The first refused field: where the focus goes.
    pub fn first(&self) -> Option<Field> {
        self.0.first().map(|(field, _)| *field)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Field, &str)> {
        self.0.iter().map(|(field, message)| (*field, message.as_str()))
    }
}
