//! Rows of either database, and their conversion to Rust types.

use sqlx::{ColumnIndex, Row as _, ValueRef as _, postgres::PgRow, sqlite::SqliteRow};

use super::value::{Kind, Value};
use crate::{
    domain::{
        AccountId, ApiKeyId, AuditId, DeliveryId, DeliveryStatus, DisabledReason, EndpointUrl, EventId,
        EventType, EventTypes, FailureReason, InviteId, Principal, ProcessId, RecoveryId, RecoveryScope,
        RecoveryState, Role, SessionId, Timestamp, TlsProblem, Transport, UserId, WebhookId, WebhookName,
        custom_header::HeaderNames,
        delivery_settings::{Description, RateLimit, Retries, TimeoutSeconds},
        filter::Filter,
    },
    store::{DestinationState, InvalidationReason, StoreError, rows::NEW_STATUS},
};

pub(in crate::store) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A column, by its name or its position.
pub(in crate::store) trait Index:
    ColumnIndex<SqliteRow> + ColumnIndex<PgRow> + Copy
{
}

impl<T: ColumnIndex<SqliteRow> + ColumnIndex<PgRow> + Copy> Index for T {}

impl Row {
    pub(in crate::store) fn get<T: Field>(&self, column: impl Index) -> Result<T, StoreError> {
        T::read(self, column)
    }

    pub(in crate::store) fn value(&self, column: impl Index, kind: Kind) -> Result<Value, StoreError> {
        if self.is_null(column)? {
            return Ok(Value::Null(kind));
        }
        Ok(match kind {
            Kind::Text => Value::Text(self.get(column)?),
            Kind::Integer => Value::Integer(self.get(column)?),
            Kind::Bytes => Value::Bytes(self.get(column)?),
            Kind::Boolean => Value::Boolean(self.get(column)?),
        })
    }

    fn is_null(&self, column: impl Index) -> Result<bool, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get_raw(column)?.is_null(),
            Self::Postgres(row) => row.try_get_raw(column)?.is_null(),
        })
    }
}

/// A type that can be read from a column.
pub(in crate::store) trait Field: Sized {
    fn read(row: &Row, column: impl Index) -> Result<Self, StoreError>;
}

impl<T: Field> Field for Option<T> {
    fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
        if row.is_null(column)? {
            Ok(None)
        } else {
            T::read(row, column).map(Some)
        }
    }
}

/// Implements [`Field`] for types that both drivers support.
macro_rules! native_field {
    ($($type:ty),+) => {
        $(impl Field for $type {
            fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
                Ok(match row {
                    Row::Sqlite(row) => row.try_get(column)?,
                    Row::Postgres(row) => row.try_get(column)?,
                })
            }
        })+
    };
}

native_field!(i64, bool, String, Vec<u8>);

impl Field for u32 {
    /// Reads a count, which the database stores as a signed integer.
    fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
        let number: i64 = row.get(column)?;
        Ok(Self::try_from(number.max(0)).unwrap_or(Self::MAX))
    }
}

impl Field for u64 {
    /// Reads a count, which the database stores as a signed integer.
    fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
        let number: i64 = row.get(column)?;
        Ok(number.max(0).cast_unsigned())
    }
}

impl Field for Timestamp {
    fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
        row.get(column).map(Self::from_millis)
    }
}

/// Implements [`Field`] for types that are stored as text. The literal is the name of the value in an error message.
macro_rules! text_field {
    ($($type:ty: $what:literal),+ $(,)?) => {
        $(impl Field for $type {
            fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
                let text: String = row.get(column)?;
                text.parse().map_err(|_| StoreError::Corrupt($what))
            }
        })+
    };
}

text_field!(
    DestinationState: "webhook state",
    DisabledReason: "disabled reason",
    EventId: "event id",
    EventType: "event type",
    FailureReason: "failure reason",
    InvalidationReason: "invalidation reason",
    RecoveryScope: "recovery scope",
    RecoveryState: "recovery state",
    Retries: "retries",
    Role: "role",
    TlsProblem: "TLS problem",
);

/// Implements [`Field`] for ids, which are stored as 16 bytes.
macro_rules! key_field {
    ($($type:ty),+ $(,)?) => {
        $(impl Field for $type {
            fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
                row.get(column).map(Self::from_key)
            }
        })+
    };
}

key_field!(
    AccountId, ApiKeyId, AuditId, DeliveryId, InviteId, ProcessId, RecoveryId, SessionId, UserId, WebhookId,
);

impl<const N: usize> Field for [u8; N] {
    fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
        let bytes: Vec<u8> = row.get(column)?;
        bytes.try_into().map_err(|_| StoreError::Corrupt("id or hash"))
    }
}

/// Reads [`NEW_STATUS`] as pending.
impl Field for DeliveryStatus {
    fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
        let text: String = row.get(column)?;
        match &*text {
            NEW_STATUS => Ok(Self::Pending),
            text => text.parse().map_err(|_| StoreError::Corrupt("delivery status")),
        }
    }
}

impl Field for EventTypes {
    fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
        let text: String = row.get(column)?;
        Self::parse(text.split(',')).map_err(|_| StoreError::Corrupt("list of event types"))
    }
}

impl Field for Principal {
    fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
        let code: String = row.get(column)?;
        Self::from_code(&code).ok_or(StoreError::Corrupt("actor"))
    }
}

impl Field for WebhookName {
    fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
        let text: String = row.get(column)?;
        Self::parse(&text).map_err(|_| StoreError::Corrupt("webhook name"))
    }
}

impl Field for Description {
    fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
        let text: String = row.get(column)?;
        Self::parse(&text)
            .ok()
            .flatten()
            .ok_or(StoreError::Corrupt("description"))
    }
}

impl Field for HeaderNames {
    fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
        let text: String = row.get(column)?;
        Self::parse(text.split(',')).map_err(|_| StoreError::Corrupt("header names"))
    }
}

impl Field for Filter {
    fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
        let text: String = row.get(column)?;
        Self::parse_text(&text).map_err(|_| StoreError::Corrupt("filter"))
    }
}

impl Field for RateLimit {
    fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
        let number: i64 = row.get(column)?;
        number.try_into().map_err(|_| StoreError::Corrupt("rate limit"))
    }
}

impl Field for TimeoutSeconds {
    fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
        let number: i64 = row.get(column)?;
        number.try_into().map_err(|_| StoreError::Corrupt("timeout"))
    }
}

/// Accepts http URLs. Whether they are allowed is checked when a URL is saved, and saved URLs stay readable if the
/// setting changes.
impl Field for EndpointUrl {
    fn read(row: &Row, column: impl Index) -> Result<Self, StoreError> {
        let text: String = row.get(column)?;
        Self::parse(&text, Transport::HttpAllowed).map_err(|_| StoreError::Corrupt("webhook URL"))
    }
}

/// A type that can be read from a row: a single column, a tuple of columns, or a struct declared with [`from_row!`].
pub(in crate::store) trait FromRow: Sized {
    fn from_row(row: &Row) -> Result<Self, StoreError>;
}

impl<T: Field> FromRow for T {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        row.get(0)
    }
}

macro_rules! from_columns {
    ($($column:ident $position:literal),+) => {
        impl<$($column: Field),+> FromRow for ($($column,)+) {
            fn from_row(row: &Row) -> Result<Self, StoreError> {
                Ok(($(row.get::<$column>($position)?,)+))
            }
        }
    };
}

from_columns!(A 0, B 1);
from_columns!(A 0, B 1, C 2);
from_columns!(A 0, B 1, C 2, D 3);
from_columns!(A 0, B 1, C 2, D 3, E 4);
from_columns!(A 0, B 1, C 2, D 3, E 4, F 5);
from_columns!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);

/// Declares a struct that is read from the columns with the names of its fields.
macro_rules! from_row {
    ($(#[$doc:meta])* $visibility:vis struct $name:ident { $($(#[$field_doc:meta])* $field_visibility:vis $field:ident: $type:ty,)+ }) => {
        $(#[$doc])*
        $visibility struct $name {
            $($(#[$field_doc])* $field_visibility $field: $type,)+
        }

        impl crate::store::database::FromRow for $name {
            fn from_row(row: &crate::store::database::Row) -> Result<Self, crate::store::StoreError> {
                Ok(Self {
                    $($field: row.get(stringify!($field))?,)+
                })
            }
        }
    };
}
