//! Identifiers: a prefix that says what it names, then a UUIDv7 in hex, so that they sort by age.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A text that is no identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier that starts with {prefix}")]
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

            /// The identifier without its prefix, as the database keeps it.
            pub fn to_key(&self) -> [u8; 16] {
                let digits = self.0[$prefix.len()..].as_chunks::<2>().0;
                std::array::from_fn(|at| (digit(digits[at][0]) << 4) | digit(digits[at][1]))
            }

            pub fn from_key(key: [u8; 16]) -> Self {
                let mut text = [0; $prefix.len() + 32];
                text[..$prefix.len()].copy_from_slice($prefix.as_bytes());
                for (digits, byte) in text[$prefix.len()..].as_chunks_mut::<2>().0.iter_mut().zip(key) {
                    *digits = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
                }
                Self(text)
            }

            /// A new identifier that sorts after every one made in an earlier millisecond.
            #[cfg(feature = "ssr")]
            pub fn generate(now: super::Timestamp) -> Self {
                Self::from_key(uuid_v7(now).into_bytes())
            }

            /// Sorts before every identifier made at that moment or later, and after all made in an earlier millisecond.
            #[cfg(feature = "ssr")]
            pub fn first_of(moment: super::Timestamp) -> Self {
                let millis = moment.as_millis().clamp(0, (1 << 48) - 1).cast_unsigned();
                Self::from_key((u128::from(millis) << 80).to_be_bytes())
            }

            /// When it was made.
            #[cfg(feature = "ssr")]
            pub fn made_at(&self) -> super::Timestamp {
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
    /// Owns webhooks, events, users and API keys; nothing crosses accounts.
    AccountId, "acc_"
);
id!(
    /// A person who signs in to the dashboard.
    UserId, "usr_"
);
id!(
    /// A link that makes whoever opens it a user.
    InviteId, "inv_"
);
id!(
    /// A browser in which somebody is signed in; the cookie's value is another text.
    SessionId, "ses_"
);
id!(
    /// A key with which a machine calls the API; the key itself is another text.
    ApiKeyId, "key_"
);
id!(
    /// A destination.
    WebhookId, "wh_"
);
id!(
    /// One try of a delivery.
    AttemptId, "att_"
);
id!(
    /// An entry of the audit log.
    AuditId, "aud_"
);
id!(
    /// A running process, among those that share a database.
    ProcessId, "prc_"
);
id!(
    /// A run through what a webhook has missed.
    RecoveryId, "rcv_"
);
id!(
    /// One event for one webhook.
    DeliveryId, "dlv_"
);

/// Names an event within its account. The publisher may choose it; receivers see it as `webhook-id`.
///
/// Letters, digits, `_` and `-` only: a dot would make the signed text `id.timestamp.body` ambiguous.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId(String);

impl EventId {
    pub const PREFIX: &'static str = "evt_";
    pub const MAX_LENGTH: usize = 64;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An identifier for an event whose publisher chose none.
    #[cfg(feature = "ssr")]
    pub fn generate(now: super::Timestamp) -> Self {
        Self(format!("{}{}", Self::PREFIX, uuid_v7(now).simple()))
    }
}

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<Self, InvalidEventId> {
        let fits = (1..=Self::MAX_LENGTH).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if fits {
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

/// A publisher's event id that receivers could not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Use 1 to 64 letters, digits, “_” or “-” for the id.")]
pub struct InvalidEventId;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The value of a hexadecimal digit in lower case.
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

/// An identifier for a request, of which nothing is kept.
#[cfg(feature = "ssr")]
pub fn random_uuid() -> uuid::Uuid {
    uuid::Builder::from_random_bytes(random()).into_uuid()
}

/// Random bytes for one identifier. They are fetched for many at once: a delivery has five identifiers.
#[cfg(feature = "ssr")]
fn random() -> [u8; 16] {
    use std::cell::RefCell;

    thread_local! {
        static FETCHED: RefCell<Vec<[u8; 16]>> = const { RefCell::new(Vec::new()) };
    }
    FETCHED.with_borrow_mut(|fetched| {
        fetched.pop().unwrap_or_else(|| {
            let mut more = [[0; 16]; 64];
            getrandom::fill(more.as_flattened_mut()).expect("the system's random numbers are available");
            fetched.extend_from_slice(&more[1..]);
            more[0]
        })
    })
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn ids_sort_by_age_and_survive_a_round_trip() {
        let older = WebhookId::generate(Timestamp::from_millis(1_000));
        let newer = WebhookId::generate(Timestamp::from_millis(1_001));
        assert!(older < newer);
        let between = WebhookId::first_of(Timestamp::from_millis(1_001));
        assert!(older < between && between < newer);
        assert_eq!(WebhookId::from_key(newer.to_key()), newer);
        assert_eq!(newer.made_at(), Timestamp::from_millis(1_001));
        assert_eq!(newer.as_str().parse::<WebhookId>(), Ok(newer));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
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
    fn an_event_id_never_holds_a_dot() {
        assert!("order-17_a".parse::<EventId>().is_ok());
        for bad in ["", "a.b", "a b", "é", &"a".repeat(65)] {
            assert!(bad.parse::<EventId>().is_err(), "{bad:?}");
        }
    }
}
