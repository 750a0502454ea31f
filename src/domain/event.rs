//! Events: things that happened in Caleida, and the bytes that tell of them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// What can happen. The order is that of the form and of the catalog.
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

    /// When it is triggered, as the form tells it.
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

    /// The `data` of a typical event, as JSON.
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
    /// What has happened, as the catalog tells it.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Chat => "Triggered when a new chat is created: a visitor has begun it.",
            Self::Message => {
                "Triggered when a new message is created: the visitor, an agent or a bot has written it."
            }
            Self::InsightSummary => {
                "Triggered when a summary insight is generated: a chat in a few sentences."
            }
            Self::InsightTopic => "Triggered when a topic insight is generated: what a chat is about.",
            Self::InsightKey => "Triggered when a key insight is generated: the facts that matter in a chat.",
            Self::InsightConversation => {
                "Triggered when a conversation insight is generated: how long a chat took, and whether it was resolved."
            }
            Self::InsightSentiment => {
                "Triggered when a sentiment insight is generated: how the visitor felt, and how that changed."
            }
        }
    }

    /// What the body of such an event looks like, as JSON Schema 2020-12.
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

    /// The body of a typical event.
    pub fn example_body(self) -> String {
        let data = serde_json::from_str(self.example()).expect("the examples are JSON");
        let at = super::Timestamp::from_millis(1_795_428_000_000);
        String::from_utf8(envelope(self, at, data)).expect("JSON is text")
    }
}

/// A type that does not exist; holds the start of what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "“{0}” is no event type: use chat, message, insight.summary, insight.topic, insight.key, \
     insight.conversation or insight.sentiment."
)]
pub struct UnknownEventType(String);

impl UnknownEventType {
    fn new(text: &str) -> Self {
        Self(text.chars().take(64).collect())
    }
}

/// The event types that a webhook wants: at least one, each once, in the order of [`EventType`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventTypes(BTreeSet<EventType>);

/// Why a selection of event types is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEvents {
    #[error("Choose at least one event.")]
    Empty,
    #[error(transparent)]
    Unknown(#[from] UnknownEventType),
}

impl EventTypes {
    /// Stands for all five insights: the form's “select all” sends it when no script has ticked the five itself.
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

/// The exact bytes that are signed, sent, stored and shown.
///
/// Built once, when the event is accepted; `data` stays byte for byte as it was published, since re-serialising could
/// reorder its keys or change its numbers under the signature.
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
    fn the_envelope_keeps_the_data_as_it_was_published() {
        let data: Box<serde_json::value::RawValue> =
            serde_json::from_str(r#"{"b": 1.50, "a":  "\u00e9"}"#).unwrap();
        let body = envelope(EventType::Chat, Timestamp::from_millis(1_795_428_000_000), &data);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"type":"chat","timestamp":"2026-11-23T10:00:00.000Z","data":{"b": 1.50, "a":  "\u00e9"}}"#
        );
    }

    #[test]
    fn a_selection_is_never_empty_and_knows_its_types() {
        assert_eq!(EventTypes::parse([]), Err(InvalidEvents::Empty));
        assert!(EventTypes::parse(["chat", "chats"]).is_err());
        let selection = EventTypes::parse(["message", "chat", "message"]).unwrap();
        assert_eq!(
            selection.iter().collect::<Vec<_>>(),
            [EventType::Chat, EventType::Message]
        );
    }

    #[test]
    fn select_all_stands_for_the_five_insights() {
        let selection = EventTypes::parse(["chat", EventTypes::ALL_INSIGHTS]).unwrap();
        assert_eq!(selection.count(), 6);
        assert!(!selection.contains(EventType::Message));
    }

    #[test]
    fn every_example_is_as_its_schema_says_and_nobody_elses() {
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
                // What a receiver may rely on is all there.
                let mut cut = example.clone();
                cut["data"] = serde_json::json!({});
                assert!(!validator.is_valid(&cut), "{other}");
            }
        }
    }
}
