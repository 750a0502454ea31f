//! Filters of webhooks: conditions on the data of an event.
//!
//! ```json
//! {"all": [
//!     {"field": "channel", "op": "eq", "value": "email"},
//!     {"any": [
//!         {"field": "sentiment.score", "op": "lt", "value": -0.5},
//!         {"field": "tags", "op": "contains", "value": "urgent"}
//!     ]}
//! ]}
//! ```
//!
//! | operator | value | true if the field |
//! |---|---|---|
//! | `eq` | text, number, `true`, `false`, `null` | has this value |
//! | `ne` | the same | does not have this value, or is missing |
//! | `in` | a list of such values | has one of the values |
//! | `contains` | the same as `eq` | is a text that contains this text, or an array with an element of this value |
//! | `gt`, `lt` | number | is a number above, or below, this one |
//! | `exists` | none | is there, even if it is `null` |
//! | `missing` | none | is not there |
//!
//! Numbers are compared exactly: `1` equals `1.0`. Values of different types are not equal. Text is compared exactly,
//! including case.

mod advice;
mod condition;
mod contradiction;
pub mod decimal;
mod fields;
mod path;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::value::RawValue;

use self::fields::Wanted;
pub use self::{
    advice::{Advice, known_fields},
    condition::{Condition, InvalidCondition, Operator, Scalar},
    path::{FieldPath, InvalidPath},
};

/// Conditions, combined by “all” or “any”, on two levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    mode: Mode,
    items: Vec<Item>,
}

/// How the results of several conditions are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Mode {
    All,
    Any,
}

/// An element of the first level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Condition(Condition),
    Group(Mode, Vec<Condition>),
}

/// Error for an invalid filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFilter {
    #[error("A filter is an object with “all” or “any” and a list of conditions.")]
    NotAGroup,
    #[error("Add a condition to each group of the filter.")]
    EmptyGroup,
    #[error("Use at most two levels of “all” and “any” in a filter.")]
    TooDeep,
    #[error("Use at most {} conditions in a filter.", Filter::MAX_CONDITIONS)]
    TooManyConditions,
    #[error("Condition {number}: {error}")]
    Condition {
        /// Position in the filter, from 1.
        number: usize,
        error: InvalidCondition,
    },
}

impl Filter {
    pub const MAX_CONDITIONS: usize = 50;

    /// Parses the text of the JSON form.
    pub fn parse_text(json: &str) -> Result<Self, InvalidFilter> {
        let json = serde_json::from_str(json).map_err(|_| InvalidFilter::NotAGroup)?;
        Self::parse(json)
    }

    /// Returns the text of the JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a filter serializes to JSON")
    }

    /// Parses the JSON form.
    pub fn parse(json: &RawValue) -> Result<Self, InvalidFilter> {
        let (mode, list) = group(json).ok_or(InvalidFilter::NotAGroup)?;
        let mut number = 0;
        let mut condition = |json: &RawValue| {
            number += 1;
            if number > Self::MAX_CONDITIONS {
                return Err(InvalidFilter::TooManyConditions);
            }
            Condition::parse(json).map_err(|error| InvalidFilter::Condition { number, error })
        };
        let mut items = Vec::with_capacity(list.len().min(Self::MAX_CONDITIONS));
        for json in list {
            items.push(match group(json) {
                None => Item::Condition(condition(json)?),
                Some((_, inner)) if inner.is_empty() => return Err(InvalidFilter::EmptyGroup),
                Some((_, inner)) if inner.iter().any(|json| group(json).is_some()) => {
                    return Err(InvalidFilter::TooDeep);
                }
                Some((mode, inner)) => {
                    let conditions = inner.into_iter().map(&mut condition);
                    Item::Group(mode, conditions.collect::<Result<_, _>>()?)
                }
            });
        }
        if items.is_empty() {
            return Err(InvalidFilter::EmptyGroup);
        }
        Ok(Self { mode, items })
    }

    pub fn mode(&self) -> Mode {
        self.mode
    }

    pub fn items(&self) -> &[Item] {
        &self.items
    }
}

/// A group in JSON. Its parts are kept as text, because numbers must not become floats.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Group<'a> {
    #[serde(borrow)]
    All(Vec<&'a RawValue>),
    Any(Vec<&'a RawValue>),
}

/// Returns the mode and the list of a group.
fn group(json: &RawValue) -> Option<(Mode, Vec<&RawValue>)> {
    match serde_json::from_str(json.get()).ok()? {
        Group::All(list) => Some((Mode::All, list)),
        Group::Any(list) => Some((Mode::Any, list)),
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json: Box<RawValue> = Deserialize::deserialize(deserializer)?;
        Self::parse(&json).map_err(D::Error::custom)
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_group(self.mode, &self.items, serializer)
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Condition(condition) => condition.serialize(serializer),
            Self::Group(mode, conditions) => serialize_group(*mode, conditions, serializer),
        }
    }
}

fn serialize_group<S: Serializer>(
    mode: Mode,
    items: &[impl Serialize],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map([(mode, items)])
}

/// A filter that is ready to be evaluated.
#[derive(Debug)]
pub struct CompiledFilter {
    wanted: Wanted,
    slots: usize,
    mode: Mode,
    items: Vec<CompiledItem>,
}

#[derive(Debug)]
enum CompiledItem {
    Condition(CompiledCondition),
    Group(Mode, Vec<CompiledCondition>),
}

#[derive(Debug)]
struct CompiledCondition {
    condition: Condition,
    slot: usize,
}

impl CompiledFilter {
    pub fn new(filter: &Filter) -> Self {
        let (mut wanted, mut slots) = (Wanted::default(), 0);
        let mut compile = |condition: &Condition| CompiledCondition {
            slot: wanted.add(condition.field(), &mut slots),
            condition: condition.clone(),
        };
        let items = filter.items.iter().map(|item| match item {
            Item::Condition(condition) => CompiledItem::Condition(compile(condition)),
            Item::Group(mode, list) => CompiledItem::Group(*mode, list.iter().map(&mut compile).collect()),
        });
        let items = items.collect();
        Self {
            wanted,
            slots,
            mode: filter.mode,
            items,
        }
    }

    /// Returns whether the data of an event matches.
    pub fn matches(&self, data: &RawValue) -> bool {
        let found = self.wanted.find(data, self.slots);
        let is_met = |compiled: &CompiledCondition| compiled.condition.is_met(found[compiled.slot]);
        let mut items = self.items.iter();
        match self.mode {
            Mode::All => items.all(|item| item.is_met(is_met)),
            Mode::Any => items.any(|item| item.is_met(is_met)),
        }
    }

    /// Returns the part of the filter that excludes an event, in words. Returns `None` if the event matches.
    pub fn excluded_by(&self, data: &RawValue) -> Option<String> {
        let found = self.wanted.find(data, self.slots);
        let is_met = |compiled: &CompiledCondition| compiled.condition.is_met(found[compiled.slot]);
        let unmet: Vec<_> = self.items.iter().filter_map(|item| item.unmet(is_met)).collect();
        match self.mode {
            Mode::Any if unmet.len() < self.items.len() => None,
            Mode::Any => Some(unmet.join(word(Mode::Any))),
            Mode::All => unmet.into_iter().next(),
        }
    }
}

impl CompiledItem {
    fn is_met(&self, is_met: impl Fn(&CompiledCondition) -> bool) -> bool {
        match self {
            Self::Condition(compiled) => is_met(compiled),
            Self::Group(Mode::All, list) => list.iter().all(is_met),
            Self::Group(Mode::Any, list) => list.iter().any(is_met),
        }
    }

    /// Returns the part that is not met, in words: one condition, or all of “any”.
    fn unmet(&self, is_met: impl Fn(&CompiledCondition) -> bool) -> Option<String> {
        match self {
            Self::Condition(compiled) => (!is_met(compiled)).then(|| compiled.condition.to_string()),
            Self::Group(Mode::All, list) => {
                let unmet = list.iter().find(|compiled| !is_met(compiled));
                unmet.map(|compiled| compiled.condition.to_string())
            }
            Self::Group(Mode::Any, list) => (!list.iter().any(is_met)).then(|| {
                let conditions = list.iter().map(|compiled| compiled.condition.to_string());
                conditions.collect::<Vec<_>>().join(word(Mode::Any))
            }),
        }
    }
}

impl fmt::Display for Filter {
    /// Writes the filter in words, such as `channel is “email” and (score is less than -0.5 or tags contains “urgent”)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.items.iter().enumerate() {
            if index > 0 {
                f.write_str(word(self.mode))?;
            }
            match item {
                Item::Condition(condition) => write!(f, "{condition}")?,
                Item::Group(mode, list) => {
                    let texts: Vec<_> = list.iter().map(Condition::to_string).collect();
                    write!(f, "({})", texts.join(word(*mode)))?;
                }
            }
        }
        Ok(())
    }
}

fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::All => " and ",
        Mode::Any => " or ",
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
