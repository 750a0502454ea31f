//! Identifiers: a prefix for the type, followed by a UUIDv7 in hexadecimal, so that they sort by age.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Error for a text that is not an identifier of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an identifier that starts with {prefix}")]
pub struct InvalidId {
    prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; $prefix.len() + 32]);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            pub fn as_str(&self) -> &str {
                str::from_utf8(&self.0).expect("an identifier is ASCII")
            }

            /// Returns the identifier without its prefix, as the database stores it.
            pub fn to_key(&self) -> [u8; 16] {
                let digits = self.0[$prefix.len()..].as_chunks::<2>().0;
                std::array::from_fn(|index| (digit(digits[index][0]) << 4) | digit(digits[index][1]))
            }

            /// Adds the prefix to an identifier from the database.
            pub fn from_key(key: [u8; 16]) -> Self {
                let mut text = [0; $prefix.len() + 32];
                text[..$prefix.len()].copy_from_slice($prefix.as_bytes());
                for (digits, byte) in text[$prefix.len()..].as_chunks_mut::<2>().0.iter_mut().zip(key) {
                    *digits = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
                }
                Self(text)
            }

            /// Generates an identifier that sorts after all identifiers of earlier milliseconds.
            #[cfg(feature = "ssr")]
            pub fn generate(now: super::Timestamp) -> Self {
                Self::from_key(uuid_v7(now).into_bytes())
            }

            /// Returns an identifier that sorts before all identifiers generated at `time` or later, and after all
            /// identifiers of earlier milliseconds.
            #[cfg(feature = "ssr")]
            pub fn lower_bound(time: super::Timestamp) -> Self {
                let millis = time.as_millis().clamp(0, (1 << 48) - 1).cast_unsigned();
                Self::from_key((u128::from(millis) << 80).to_be_bytes())
            }

            /// Returns the time at which the identifier was generated.
            #[cfg(feature = "ssr")]
            pub fn created_at(&self) -> super::Timestamp {
                let millis = u128::from_be_bytes(self.to_key()) >> 80;
                super::Timestamp::from_millis(i64::try_from(millis).unwrap_or_default())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(Self::PREFIX)
                    .filter(|rest| rest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
                    .and_then(|_| text.as_bytes().try_into().ok())
                    .map(Self)
                    .ok_or(InvalidId { prefix: Self::PREFIX })
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }
    };
}

id!(
    /// Account, which owns webhooks, events, users and API keys.
    AccountId, "acc_"
);
id!(
    /// User of the dashboard.
    UserId, "usr_"
);
id!(
    /// Invitation to join an account as a user.
    InviteId, "inv_"
);
id!(
    /// Session of a signed-in user. The cookie contains a separate secret.
    SessionId, "ses_"
);
id!(
    /// API key. Clients authenticate with a separate secret.
    ApiKeyId, "key_"
);
id!(
    /// Webhook.
    WebhookId, "wh_"
);
id!(
    /// Attempt of a delivery.
    AttemptId, "att_"
);
id!(
    /// Entry of the audit log.
    AuditId, "aud_"
);
id!(
    /// Process in the cluster.
    ProcessId, "prc_"
);
id!(
    /// Recovery of a webhook's failed or missed events.
    RecoveryId, "rcv_"
);
id!(
    /// Delivery of one event to one webhook.
    DeliveryId, "dlv_"
);

/// Event, unique in its account. The publisher may choose the id, and receivers get it as `webhook-id`.
///
/// Only letters, digits, `_` and `-` are allowed. A dot would make the signed text `id.timestamp.body` ambiguous.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId(String);

impl EventId {
    pub const PREFIX: &'static str = "evt_";
    pub const MAX_LENGTH: usize = 64;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Generates an identifier for an event whose publisher did not choose one.
    #[cfg(feature = "ssr")]
    pub fn generate(now: super::Timestamp) -> Self {
        Self(format!("{}{}", Self::PREFIX, uuid_v7(now).simple()))
    }
}

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<Self, InvalidEventId> {
        let valid = (1..=Self::MAX_LENGTH).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidEventId)
        }
    }
}

impl TryFrom<String> for EventId {
    type Error = InvalidEventId;

    fn try_from(text: String) -> Result<Self, InvalidEventId> {
        text.parse()
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> String {
        id.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Error for an invalid event id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Use 1 to 64 letters, digits, “_” or “-” for the id.")]
pub struct InvalidEventId;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Returns the value of a lower-case hexadecimal digit.
fn digit(digit: u8) -> u8 {
    match digit {
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'0',
    }
}

#[cfg(feature = "ssr")]
fn uuid_v7(now: super::Timestamp) -> uuid::Uuid {
    let [random @ .., _, _, _, _, _, _] = random();
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// Generates a random UUID, for ids that are not stored.
#[cfg(feature = "ssr")]
pub fn random_uuid() -> uuid::Uuid {
    uuid::Builder::from_random_bytes(random()).into_uuid()
}

/// Returns random bytes for one identifier. They are fetched in bulk, because a delivery needs five identifiers.
#[cfg(feature = "ssr")]
fn random() -> [u8; 16] {
    use std::cell::RefCell;

    thread_local! {
        static POOL: RefCell<Vec<[u8; 16]>> = const { RefCell::new(Vec::new()) };
    }
    POOL.with_borrow_mut(|pool| {
        pool.pop().unwrap_or_else(|| {
            let mut random = [[0; 16]; 64];
            getrandom::fill(random.as_flattened_mut()).expect("the system's random numbers are available");
            pool.extend_from_slice(&random[1..]);
            random[0]
        })
    })
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn ids_sort_by_age_and_round_trip() {
        let older = WebhookId::generate(Timestamp::from_millis(1_000));
        let newer = WebhookId::generate(Timestamp::from_millis(1_001));
        assert!(older < newer);
        let bound = WebhookId::lower_bound(Timestamp::from_millis(1_001));
        assert!(older < bound && bound < newer);
        assert_eq!(WebhookId::from_key(newer.to_key()), newer);
        assert_eq!(newer.created_at(), Timestamp::from_millis(1_001));
        assert_eq!(newer.as_str().parse::<WebhookId>(), Ok(newer));
    }

    #[test]
    fn rejects_ids_of_another_type() {
        let delivery = DeliveryId::generate(Timestamp::from_millis(1));
        assert!(delivery.as_str().parse::<WebhookId>().is_err());
        for bad in [
            "wh_",
            "wh_../etc",
            "wh_01a20ae72a8b7ddd9c57d49eb0a2ff8",
            "wh_01a20ae72a8b7ddd9c57d49eb0a2ff811",
            "wh_01A20AE72A8B7DDD9C57D49EB0A2FF81",
        ] {
            assert!(bad.parse::<WebhookId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn event_ids_contain_no_dot() {
        assert!("order-17_a".parse::<EventId>().is_ok());
        for bad in ["", "a.b", "a b", "é", &"a".repeat(65)] {
            assert!(bad.parse::<EventId>().is_err(), "{bad:?}");
        }
    }
}
