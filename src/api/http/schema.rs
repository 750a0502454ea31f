//! OpenAPI schemas of domain types. They are defined here so that the domain, which is compiled for the browser as
//! well, does not depend on utoipa.

use serde_json::json;
use strum::VariantArray;
use utoipa::openapi::{
    Array, KnownFormat, ObjectBuilder, SchemaFormat,
    schema::{ArrayBuilder, Type},
};

use super::{query::Limit, rfc3339::Rfc3339};
use crate::{
    domain::{
        DeliveryId, DeliveryStatus, DisabledReason, EventId, EventType, EventTypes, RecoveryId,
        RecoveryScope, RecoveryState, WebhookId, WebhookStatus,
    },
    store::HeldAction,
};

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// Implements a named schema for each type.
macro_rules! schemas {
    ($($name:literal $type:ty: $schema:expr;)*) => {
        $(
            impl utoipa::PartialSchema for $type {
                fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                    $schema.build().into()
                }
            }

            impl utoipa::ToSchema for $type {
                fn name() -> std::borrow::Cow<'static, str> {
                    std::borrow::Cow::Borrowed($name)
                }
            }
        )*
    };
}

pub(crate) use schemas;

schemas! {
    "WebhookId" WebhookId: id(WebhookId::PREFIX);
    "DeliveryId" DeliveryId: id(DeliveryId::PREFIX);
    "RecoveryId" RecoveryId: id(RecoveryId::PREFIX);
    "EventId" EventId: text()
        .description(Some(
            "Event id, unique in the account. Receivers get it as `webhook-id`. Letters, digits, `_` and `-`.",
        ))
        .pattern(Some("^[0-9A-Za-z_-]+$"))
        .min_length(Some(1))
        .max_length(Some(EventId::MAX_LENGTH))
        .examples(["evt_01a20ae72a8b7ddd9c57d49eb0a2ff81"]);
    "Timestamp" Rfc3339: text()
        .description(Some("RFC 3339 timestamp. Responses use UTC with milliseconds."))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .examples(["2026-11-23T10:00:00.000Z"]);
    "Limit" Limit: ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(Limit::MAX))
        .default(Some(Limit::MAX.into()));
    "EventType" EventType: string_enum::<EventType>()
        .description(Some("Event type. See `GET /api/v1/event-types`."));
    "WebhookStatus" WebhookStatus: string_enum::<WebhookStatus>().description(Some(
        "`active`: events are sent. `degraded`: events are sent, but some of the `recent_attempts` failed. `failing`: \
         events are sent, but every attempt since `failing_since` has failed, at least three. `paused`: events are held until the webhook is resumed. `disabled`: events are neither sent nor held, see \
         `disabled_reason`.",
    ));
    "DisabledReason" DisabledReason:
        string_enum::<DisabledReason>().description(Some(
            "`gone`: the receiver responded with 410. `failing`: no attempt succeeded for five days, and at \
             least ten failed on at least three different days.",
        ));
    "DeliveryStatus" DeliveryStatus: string_enum::<DeliveryStatus>().description(Some(
        "`pending`: an attempt is scheduled or in progress. `held`: the webhook is paused. `delivered`: the receiver \
         responded with 2xx. `failed`: all attempts failed. `cancelled`: the webhook was deleted or disabled, or its \
         held deliveries were dropped.",
    ));
    "RecoveryScope" RecoveryScope: string_enum::<RecoveryScope>().description(Some(
        "`failed`: failed deliveries. `missed`: all events of the subscribed types that the webhook did not get, \
         including events from before it was added or while it was disabled, and cancelled deliveries.",
    ));
    "RecoveryState" RecoveryState: string_enum::<RecoveryState>();
    "Held" HeldAction: string_enum::<HeldAction>()
        .description(Some("What happens to the held deliveries: `send` sends them, `drop` cancels them."))
        .default(Some("send".into()));
}

/// Returns the schema of a webhook's `events` in requests.
pub(crate) fn subscribed_events() -> Array {
    let types = EventType::VARIANTS.iter().map(|event_type| event_type.as_str());
    let choices = types.chain([EventTypes::ALL_INSIGHTS]);
    let choice = text().enum_values(Some(choices));
    ArrayBuilder::new()
        .items(choice)
        .min_items(Some(1))
        .description(Some(
            "Event types to subscribe to. `insight.*` stands for all insight types.",
        ))
        .examples([json!(["chat", "insight.*"])])
        .build()
}

fn id(prefix: &str) -> ObjectBuilder {
    text()
        .pattern(Some(format!("^{prefix}[0-9a-f]{{32}}$")))
        .examples([format!("{prefix}01a20ae72a8b7ddd9c57d49eb0a2ff81")])
}

fn string_enum<T: VariantArray + Copy + Into<&'static str>>() -> ObjectBuilder {
    text().enum_values(Some(T::VARIANTS.iter().map(|&variant| variant.into())))
}
