//! A condition: a field, an operator and its value.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    ser::{Error as _, SerializeMap as _},
};
use serde_json::value::RawValue;
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{
    decimal::Decimal,
    path::{FieldPath, InvalidPath},
};

/// A condition on one field of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub(super) field: FieldPath,
    pub(super) test: Test,
}

/// An operator with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    Eq(Scalar),
    Ne(Scalar),
    In(Vec<Scalar>),
    Contains(Scalar),
    Gt(Decimal),
    Lt(Decimal),
    Exists,
    Missing,
}

/// An operator, named as in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Operator {
    Eq,
    Ne,
    In,
    Contains,
    Gt,
    Lt,
    Exists,
    Missing,
}

/// A value that is neither an object nor an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    Null,
    Bool(bool),
    Number(Decimal),
    Text(String),
}

/// Error for an invalid condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCondition {
    #[error("Use an object with “field”, “op” and “value”.")]
    NotACondition,
    #[error("{0}")]
    Field(InvalidPath),
    #[error("“{0}” is not an operator: use eq, ne, in, contains, gt, lt, exists or missing.")]
    Operator(String),
    #[error("Use a text, a number, true, false or null as value.")]
    NotAScalar,
    #[error("Use a number as value of gt and lt.")]
    NotANumber,
    #[error("Use a list of 1 to {} values for in.", Condition::MAX_VALUES)]
    NotAList,
    #[error("Remove the value: exists and missing have none.")]
    HasValue,
    #[error("Use at most {} characters for a value.", Condition::MAX_TEXT)]
    TooLong,
}

impl Operator {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns the words for people, which stand between the field and the value.
    pub fn words(self) -> &'static str {
        match self {
            Self::Eq => "is",
            Self::Ne => "is not",
            Self::In => "is one of",
            Self::Contains => "contains",
            Self::Gt => "is greater than",
            Self::Lt => "is less than",
            Self::Exists => "exists",
            Self::Missing => "does not exist",
        }
    }
}

impl Condition {
    /// Maximum number of values of `in`.
    pub const MAX_VALUES: usize = 100;
    /// Maximum length of a text or number, in characters.
    pub const MAX_TEXT: usize = 500;

    /// Parses the JSON form.
    pub(super) fn parse(json: &RawValue) -> Result<Self, InvalidCondition> {
        // Derived, so an array would be read as the fields in their order.
        let is_object = json.get().starts_with('{');
        let parts: Option<Parts<'_>> = serde_json::from_str(json.get()).ok().filter(|_| is_object);
        let parts = parts.ok_or(InvalidCondition::NotACondition)?;
        let field = parts.field.parse().map_err(InvalidCondition::Field)?;
        let operator: Operator = parts
            .op
            .parse()
            .map_err(|_| InvalidCondition::Operator(parts.op.into_owned()))?;
        let test = Test::parse(operator, parts.value)?;
        Ok(Self { field, test })
    }

    pub fn field(&self) -> &FieldPath {
        &self.field
    }

    pub fn operator(&self) -> Operator {
        match self.test {
            Test::Eq(_) => Operator::Eq,
            Test::Ne(_) => Operator::Ne,
            Test::In(_) => Operator::In,
            Test::Contains(_) => Operator::Contains,
            Test::Gt(_) => Operator::Gt,
            Test::Lt(_) => Operator::Lt,
            Test::Exists => Operator::Exists,
            Test::Missing => Operator::Missing,
        }
    }

    /// Returns the values: one for most operators, several for `in`, none for `exists` and `missing`.
    pub fn values(&self) -> Vec<Scalar> {
        match &self.test {
            Test::Eq(value) | Test::Ne(value) | Test::Contains(value) => vec![value.clone()],
            Test::In(values) => values.clone(),
            Test::Gt(limit) | Test::Lt(limit) => vec![Scalar::Number(limit.clone())],
            Test::Exists | Test::Missing => Vec::new(),
        }
    }

    /// Returns whether the condition is met by the value of its field, which is `None` if it is missing.
    pub(super) fn is_met(&self, value: Option<&RawValue>) -> bool {
        self.test.is_met(value)
    }
}

/// A condition in JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts<'a> {
    #[serde(borrow)]
    field: Cow<'a, str>,
    #[serde(borrow)]
    op: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    value: Option<&'a RawValue>,
}

/// Reads `null` as a value.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("field", self.field.as_str())?;
        object.serialize_entry("op", self.operator().as_str())?;
        match &self.test {
            Test::Eq(value) | Test::Ne(value) | Test::Contains(value) => {
                object.serialize_entry("value", value)?;
            }
            Test::In(values) => object.serialize_entry("value", values)?,
            Test::Gt(limit) | Test::Lt(limit) => {
                object.serialize_entry("value", &Scalar::Number(limit.clone()))?;
            }
            Test::Exists | Test::Missing => {}
        }
        object.end()
    }
}

impl Test {
    fn parse(operator: Operator, value: Option<&RawValue>) -> Result<Self, InvalidCondition> {
        let scalar = || Scalar::parse(value.ok_or(InvalidCondition::NotAScalar)?);
        let number = || match scalar() {
            Ok(Scalar::Number(number)) => Ok(number),
            Err(InvalidCondition::TooLong) => Err(InvalidCondition::TooLong),
            _ => Err(InvalidCondition::NotANumber),
        };
        Ok(match operator {
            Operator::Eq => Self::Eq(scalar()?),
            Operator::Ne => Self::Ne(scalar()?),
            Operator::Contains => Self::Contains(scalar()?),
            Operator::Gt => Self::Gt(number()?),
            Operator::Lt => Self::Lt(number()?),
            Operator::In => match value.and_then(elements) {
                Some(list) if (1..=Condition::MAX_VALUES).contains(&list.len()) => {
                    Self::In(list.into_iter().map(Scalar::parse).collect::<Result<_, _>>()?)
                }
                _ => return Err(InvalidCondition::NotAList),
            },
            Operator::Exists | Operator::Missing if value.is_some() => {
                return Err(InvalidCondition::HasValue);
            }
            Operator::Exists => Self::Exists,
            Operator::Missing => Self::Missing,
        })
    }
}

impl Test {
    pub(super) fn is_met(&self, value: Option<&RawValue>) -> bool {
        let scalar = || value.and_then(Scalar::read);
        let number = || match scalar() {
            Some(Scalar::Number(number)) => Some(number),
            _ => None,
        };
        match self {
            Self::Eq(expected) => scalar().as_ref() == Some(expected),
            Self::Ne(expected) => scalar().as_ref() != Some(expected),
            Self::In(expected) => scalar().is_some_and(|value| expected.contains(&value)),
            Self::Contains(part) => value.is_some_and(|value| contains(value, part)),
            Self::Gt(limit) => number().is_some_and(|number| number > *limit),
            Self::Lt(limit) => number().is_some_and(|number| number < *limit),
            Self::Exists => value.is_some(),
            Self::Missing => value.is_none(),
        }
    }
}

impl Scalar {
    /// Parses a value of a condition, whose length is limited.
    fn parse(json: &RawValue) -> Result<Self, InvalidCondition> {
        let scalar = Self::read(json).ok_or(InvalidCondition::NotAScalar)?;
        let length = match &scalar {
            Self::Text(text) => text.chars().count(),
            Self::Number(_) => json.get().len(),
            Self::Null | Self::Bool(_) => 0,
        };
        if length > Condition::MAX_TEXT {
            return Err(InvalidCondition::TooLong);
        }
        Ok(scalar)
    }

    /// Reads a value. `None` for objects and arrays.
    fn read(json: &RawValue) -> Option<Self> {
        let text = json.get();
        match text.as_bytes().first()? {
            b'n' => Some(Self::Null),
            b't' => Some(Self::Bool(true)),
            b'f' => Some(Self::Bool(false)),
            b'"' => serde_json::from_str(text).ok().map(Self::Text),
            b'[' | b'{' => None,
            _ => Decimal::parse(text).map(Self::Number),
        }
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Text(text) => serializer.serialize_str(text),
            // With all its digits.
            Self::Number(number) => RawValue::from_string(number.to_string())
                .map_err(S::Error::custom)?
                .serialize(serializer),
        }
    }
}

/// Returns the elements of an array.
fn elements(json: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(json.get()).ok()
}

fn contains(value: &RawValue, part: &Scalar) -> bool {
    if let Some(elements) = elements(value) {
        return elements
            .into_iter()
            .any(|element| Scalar::read(element).as_ref() == Some(part));
    }
    match (Scalar::read(value), part) {
        (Some(Scalar::Text(text)), Scalar::Text(part)) => text.contains(part.as_str()),
        _ => false,
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.operator().words())?;
        let values: Vec<_> = self.values().iter().map(Scalar::to_string).collect();
        if values.is_empty() {
            return Ok(());
        }
        write!(f, " {}", values.join(", "))
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "“{text}”"),
        }
    }
}
