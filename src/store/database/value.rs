//! Values that can be bound to statements. There are four types, the same for both databases.

use crate::{
    domain::{
        AccountId, ApiKeyId, AttemptId, AuditId, DeliveryId, DeliveryStatus, DisabledReason, Email,
        EndpointUrl, EventId, EventType, FailureReason, InviteId, Principal, ProcessId, RecoveryId,
        RecoveryScope, RecoveryState, Role, SessionId, Timestamp, TlsProblem, UserId, WebhookId, WebhookName,
    },
    store::Lease,
};

/// A value in a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum Value {
    Text(String),
    Integer(i64),
    Bytes(Vec<u8>),
    Boolean(bool),
    /// Has a type because PostgreSQL requires it.
    Null(Kind),
}

/// The type of a value or a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Kind {
    Text,
    Integer,
    Bytes,
    Boolean,
}

impl Kind {
    /// Parses the name of a column type of either database.
    pub(in crate::store) fn from_type_name(type_name: &str) -> Option<Self> {
        match type_name {
            "TEXT" => Some(Self::Text),
            "INTEGER" | "INT8" => Some(Self::Integer),
            "BLOB" | "BYTEA" => Some(Self::Bytes),
            "BOOLEAN" | "BOOL" => Some(Self::Boolean),
            _ => None,
        }
    }
}

impl Value {
    /// Returns the approximate size in bytes.
    pub(in crate::store) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Integer(_) | Self::Boolean(_) | Self::Null(_) => 8,
        }
    }

    /// Converts a value for another database: SQLite stores booleans as integers, and PostgreSQL text cannot contain
    /// NUL.
    pub(in crate::store) fn into_kind(self, kind: Kind) -> Self {
        match (self, kind) {
            (Self::Null(_), kind) => Self::Null(kind),
            (Self::Integer(number), Kind::Boolean) => Self::Boolean(number != 0),
            (Self::Boolean(boolean), Kind::Integer) => Self::Integer(boolean.into()),
            (Self::Text(text), _) if text.contains('\0') => Self::Text(text.replace('\0', "\u{fffd}")),
            (value, _) => value,
        }
    }
}

/// A type that can be bound to a statement.
pub(in crate::store) trait Bind {
    const KIND: Kind;

    fn into_value(self) -> Value;
}

impl<T: Bind> Bind for Option<T> {
    const KIND: Kind = T::KIND;

    fn into_value(self) -> Value {
        self.map_or(Value::Null(T::KIND), T::into_value)
    }
}

impl Bind for String {
    const KIND: Kind = Kind::Text;

    fn into_value(self) -> Value {
        Value::Text(self)
    }
}

impl Bind for i64 {
    const KIND: Kind = Kind::Integer;

    fn into_value(self) -> Value {
        Value::Integer(self)
    }
}

impl Bind for bool {
    const KIND: Kind = Kind::Boolean;

    fn into_value(self) -> Value {
        Value::Boolean(self)
    }
}

impl Bind for Vec<u8> {
    const KIND: Kind = Kind::Bytes;

    fn into_value(self) -> Value {
        Value::Bytes(self)
    }
}

impl Bind for u32 {
    const KIND: Kind = Kind::Integer;

    fn into_value(self) -> Value {
        Value::Integer(self.into())
    }
}

/// A count, such as a limit. Saturates at the largest integer of the database.
impl Bind for usize {
    const KIND: Kind = Kind::Integer;

    fn into_value(self) -> Value {
        Value::Integer(i64::try_from(self).unwrap_or(i64::MAX))
    }
}

impl Bind for &usize {
    const KIND: Kind = Kind::Integer;

    fn into_value(self) -> Value {
        (*self).into_value()
    }
}

impl Bind for Timestamp {
    const KIND: Kind = Kind::Integer;

    fn into_value(self) -> Value {
        Value::Integer(self.as_millis())
    }
}

impl Bind for &[u8] {
    const KIND: Kind = Kind::Bytes;

    fn into_value(self) -> Value {
        Value::Bytes(self.to_vec())
    }
}

impl<const N: usize> Bind for [u8; N] {
    const KIND: Kind = Kind::Bytes;

    fn into_value(self) -> Value {
        Value::Bytes(self.to_vec())
    }
}

impl<const N: usize> Bind for &[u8; N] {
    const KIND: Kind = Kind::Bytes;

    fn into_value(self) -> Value {
        Value::Bytes(self.to_vec())
    }
}

impl Bind for &i64 {
    const KIND: Kind = Kind::Integer;

    fn into_value(self) -> Value {
        Value::Integer(*self)
    }
}

impl Bind for &Vec<u8> {
    const KIND: Kind = Kind::Bytes;

    fn into_value(self) -> Value {
        Value::Bytes(self.clone())
    }
}

impl Bind for &String {
    const KIND: Kind = Kind::Text;

    fn into_value(self) -> Value {
        Value::Text(self.clone())
    }
}

impl Bind for &str {
    const KIND: Kind = Kind::Text;

    fn into_value(self) -> Value {
        Value::Text(self.to_owned())
    }
}

/// Implements [`Bind`] for types that are stored as text.
macro_rules! bind_text {
    ($($type:ty),+ $(,)?) => {
        $(impl Bind for $type {
            const KIND: Kind = Kind::Text;

            fn into_value(self) -> Value {
                Value::Text(self.as_str().to_owned())
            }
        })+
    };
}

bind_text!(
    DeliveryStatus,
    DisabledReason,
    EventType,
    FailureReason,
    RecoveryScope,
    RecoveryState,
    Role,
    TlsProblem,
    &Email,
    &EventId,
    &WebhookName,
);

impl Bind for &EndpointUrl {
    const KIND: Kind = Kind::Text;

    fn into_value(self) -> Value {
        Value::Text(self.full().to_string())
    }
}

impl Bind for &Principal {
    const KIND: Kind = Kind::Text;

    fn into_value(self) -> Value {
        Value::Text(self.code())
    }
}

/// Implements [`Bind`] for ids. They are stored as 16 bytes without the prefix, which is less than half of their text.
macro_rules! bind_key {
    ($($type:ty),+ $(,)?) => {
        $(impl Bind for &$type {
            const KIND: Kind = Kind::Bytes;

            fn into_value(self) -> Value {
                Value::Bytes(self.to_key().to_vec())
            }
        })+
    };
}

bind_key!(
    AccountId, ApiKeyId, AttemptId, AuditId, DeliveryId, InviteId, Lease, ProcessId, RecoveryId, SessionId,
    UserId, WebhookId,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_converted_for_other_database() {
        for (value, kind, expected) in [
            (Value::Integer(1), Kind::Boolean, Value::Boolean(true)),
            (Value::Boolean(false), Kind::Integer, Value::Integer(0)),
            (
                Value::Null(Kind::Integer),
                Kind::Boolean,
                Value::Null(Kind::Boolean),
            ),
            (
                Value::Text("a\0b".to_owned()),
                Kind::Text,
                Value::Text("a\u{fffd}b".to_owned()),
            ),
        ] {
            assert_eq!(value.into_kind(kind), expected);
        }
    }
}
