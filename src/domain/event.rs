//! Events that happen in Caleida, their types, and the body that receivers get.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// Type of an event. The order is that of the form and of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase", parse_err_ty = UnknownEventType, parse_err_fn = UnknownEventType::new)]
pub enum EventType {
    Chat,
    Message,
    #[serde(rename = "insight.summary")]
    #[strum(serialize = "insight.summary")]
    InsightSummary,
    #[serde(rename = "insight.topic")]
    #[strum(serialize = "insight.topic")]
    InsightTopic,
    #[serde(rename = "insight.key")]
    #[strum(serialize = "insight.key")]
    InsightKey,
    #[serde(rename = "insight.conversation")]
    #[strum(serialize = "insight.conversation")]
    InsightConversation,
    #[serde(rename = "insight.sentiment")]
    #[strum(serialize = "insight.sentiment")]
    InsightSentiment,
}

impl EventType {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns a short description for the form.
    pub fn description(self) -> &'static str {
        match self {
            Self::Chat => "A new chat is created",
            Self::Message => "A new message is created",
            Self::InsightSummary => "A summary insight is generated",
            Self::InsightTopic => "A topic insight is generated",
            Self::InsightKey => "A key insight is generated",
            Self::InsightConversation => "A conversation insight is generated",
            Self::InsightSentiment => "A sentiment insight is generated",
        }
    }

    pub fn is_insight(self) -> bool {
        !matches!(self, Self::Chat | Self::Message)
    }

    /// Returns the `data` of a typical event, as JSON.
    pub fn example(self) -> &'static str {
        match self {
            Self::Chat => include_str!("examples/chat.json"),
            Self::Message => include_str!("examples/message.json"),
            Self::InsightSummary => include_str!("examples/insight.summary.json"),
            Self::InsightTopic => include_str!("examples/insight.topic.json"),
            Self::InsightKey => include_str!("examples/insight.key.json"),
            Self::InsightConversation => include_str!("examples/insight.conversation.json"),
            Self::InsightSentiment => include_str!("examples/insight.sentiment.json"),
        }
    }
}

#[cfg(feature = "ssr")]
impl EventType {
    /// Returns the description for the catalog.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Chat => "Triggered when a new chat is created. Chats are started by visitors.",
            Self::Message => {
                "Triggered when a new message is created. Messages are written by visitors, agents and bots."
            }
            Self::InsightSummary => {
                "Triggered when a summary insight is generated. It summarizes a chat in a few sentences."
            }
            Self::InsightTopic => {
                "Triggered when a topic insight is generated. It lists the topics of a chat."
            }
            Self::InsightKey => {
                "Triggered when a key insight is generated. It lists the key facts of a chat."
            }
            Self::InsightConversation => {
                "Triggered when a conversation insight is generated. It contains the duration of a chat and whether it was resolved."
            }
            Self::InsightSentiment => {
                "Triggered when a sentiment insight is generated. It contains the visitor's sentiment and its trend."
            }
        }
    }

    /// Returns the JSON Schema (2020-12) of the event body.
    pub fn schema(self) -> &'static str {
        match self {
            Self::Chat => include_str!("schemas/chat.json"),
            Self::Message => include_str!("schemas/message.json"),
            Self::InsightSummary => include_str!("schemas/insight.summary.json"),
            Self::InsightTopic => include_str!("schemas/insight.topic.json"),
            Self::InsightKey => include_str!("schemas/insight.key.json"),
            Self::InsightConversation => include_str!("schemas/insight.conversation.json"),
            Self::InsightSentiment => include_str!("schemas/insight.sentiment.json"),
        }
    }

    /// Returns the body of a typical event.
    pub fn example_body(self) -> String {
        let data = serde_json::from_str(self.example()).expect("the examples are JSON");
        let at = super::Timestamp::from_millis(1_795_428_000_000);
        String::from_utf8(envelope(self, at, data)).expect("JSON is text")
    }
}

/// Error for an unknown event type. Contains the start of the given text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "“{0}” is not an event type: use chat, message, insight.summary, insight.topic, insight.key, \
     insight.conversation or insight.sentiment."
)]
pub struct UnknownEventType(String);

impl UnknownEventType {
    fn new(text: &str) -> Self {
        Self(text.chars().take(64).collect())
    }
}

/// Event types that a webhook subscribes to: at least one, without duplicates, in the order of [`EventType`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventTypes(BTreeSet<EventType>);

/// Error for an invalid selection of event types.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEvents {
    #[error("Choose at least one event.")]
    Empty,
    #[error(transparent)]
    Unknown(#[from] UnknownEventType),
}

impl EventTypes {
    /// Placeholder for all five insight types. The form's “Select all insights” sends it when JavaScript is off.
    pub const ALL_INSIGHTS: &'static str = "insight.*";

    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidEvents> {
        let mut types = BTreeSet::new();
        for text in texts {
            if text == Self::ALL_INSIGHTS {
                types.extend(
                    EventType::VARIANTS
                        .iter()
                        .filter(|event_type| event_type.is_insight()),
                );
            } else {
                types.insert(text.parse()?);
            }
        }
        if types.is_empty() {
            Err(InvalidEvents::Empty)
        } else {
            Ok(Self(types))
        }
    }

    pub fn contains(&self, event_type: EventType) -> bool {
        self.0.contains(&event_type)
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = EventType> + '_ {
        self.0.iter().copied()
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Returns the exact body that is signed, sent, stored and shown.
///
/// It is built once, when the event is accepted. `data` stays byte for byte as it was published, because serializing it
/// again could reorder keys or change numbers.
#[cfg(feature = "ssr")]
pub fn envelope(
    event_type: EventType,
    occurred_at: super::Timestamp,
    data: &serde_json::value::RawValue,
) -> Vec<u8> {
    format!(
        r#"{{"type":"{event_type}","timestamp":"{}","data":{}}}"#,
        occurred_at.rfc3339(),
        data.get()
    )
    .into_bytes()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn envelope_keeps_the_published_bytes_of_data() {
        let data: Box<serde_json::value::RawValue> =
            serde_json::from_str(r#"{"b": 1.50, "a":  "\u00e9"}"#).unwrap();
        let body = envelope(EventType::Chat, Timestamp::from_millis(1_795_428_000_000), &data);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"type":"chat","timestamp":"2026-11-23T10:00:00.000Z","data":{"b": 1.50, "a":  "\u00e9"}}"#
        );
    }

    #[test]
    fn selection_is_never_empty_and_has_no_duplicates() {
        assert_eq!(EventTypes::parse([]), Err(InvalidEvents::Empty));
        assert!(EventTypes::parse(["chat", "chats"]).is_err());
        let selection = EventTypes::parse(["message", "chat", "message"]).unwrap();
        assert_eq!(
            selection.iter().collect::<Vec<_>>(),
            [EventType::Chat, EventType::Message]
        );
    }

    #[test]
    fn all_insights_selects_the_five_insight_types() {
        let selection = EventTypes::parse(["chat", EventTypes::ALL_INSIGHTS]).unwrap();
        assert_eq!(selection.count(), 6);
        assert!(!selection.contains(EventType::Message));
    }

    #[test]
    fn examples_match_only_their_own_schema() {
        for &event_type in EventType::VARIANTS {
            assert_eq!(event_type.as_str().parse(), Ok(event_type));
            let schema: serde_json::Value = serde_json::from_str(event_type.schema()).unwrap();
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
            jsonschema::meta::validate(&schema).unwrap();
            let validator = jsonschema::options()
                .should_validate_formats(true)
                .build(&schema)
                .unwrap();
            for &other in EventType::VARIANTS {
                let example: serde_json::Value = serde_json::from_str(&other.example_body()).unwrap();
                let valid = validator.validate(&example);
                assert_eq!(
                    valid.is_ok(),
                    other == event_type,
                    "{other} as {event_type}: {valid:?}"
                );
                // The schema requires the fields of `data`.
                let mut cut = example.clone();
                cut["data"] = serde_json::json!({});
                assert!(!validator.is_valid(&cut), "{other}");
            }
        }
    }
}
