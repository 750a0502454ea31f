//! The words of the domain as schemas. They stand here, so that the domain, which the browser has too, needs no OpenAPI.

use serde_json::json;
use strum::VariantArray;
use utoipa::openapi::{
    Array, KnownFormat, ObjectBuilder, SchemaFormat,
    schema::{ArrayBuilder, Type},
};

use super::{rfc3339::Rfc3339, query::Limit};
use crate::{
    domain::{
        DeliveryId, DeliveryStatus, DisabledReason, EventId, EventType, EventTypes, RecoveryId,
        RecoveryScope, RecoveryState, WebhookId, WebhookStatus,
    },
    store::Held,
};

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// Gives types a named schema each.
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
            "The event’s id, unique in the account. Receivers get it as `webhook-id`. Letters, digits, `_` and `-`.",
        ))
        .pattern(Some("^[0-9A-Za-z_-]+$"))
        .min_length(Some(1))
        .max_length(Some(EventId::MAX_LENGTH))
        .examples(["evt_01a20ae72a8b7ddd9c57d49eb0a2ff81"]);
    "Rfc3339" Rfc3339: text()
        .description(Some("RFC 3339. Answers are in UTC, with milliseconds."))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .examples(["2026-11-23T10:00:00.000Z"]);
    "Limit" Limit: ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(Limit::MOST))
        .default(Some(Limit::MOST.into()));
    "EventType" EventType: words::<EventType>()
        .description(Some("What can happen. See `GET /api/v1/event-types`."));
    "WebhookStatus" WebhookStatus: words::<WebhookStatus>().description(Some(
        "`active`: every new event that it wants is sent. `failing`: sent as well, but nothing has succeeded since \
         `failing_since`. `paused`: held until it is resumed. `disabled`: neither sent nor held, see `disabled_reason`.",
    ));
    "DisabledReason" DisabledReason:
        words::<DisabledReason>().description(Some(
            "`gone`: the receiver answered 410. `failing`: no call succeeded for five days.",
        ));
    "DeliveryStatus" DeliveryStatus: words::<DeliveryStatus>().description(Some(
        "`pending`: an attempt is due, now or later. `held`: the webhook is paused. `delivered`: the receiver answered \
         2xx. `failed`: no attempt is left. `cancelled`: the webhook was deleted or disabled before, or what it held \
         was dropped.",
    ));
    "RecoveryScope" RecoveryScope: words::<RecoveryScope>().description(Some(
        "`failed`: deliveries that have no attempt left. `missed`: every event that the webhook wants now and has not \
         got, also from before it existed, from while it was disabled, and what was cancelled.",
    ));
    "RecoveryState" RecoveryState: words::<RecoveryState>();
    "Held" Held: words::<Held>()
        .description(Some("What becomes of the deliveries that the webhook holds."))
        .default(Some("send".into()));
}

/// A webhook's `events`, as they are chosen.
pub(crate) fn wanted_events() -> Array {
    let types = EventType::VARIANTS.iter().map(|event_type| event_type.as_str());
    let choices = types.chain([EventTypes::ALL_INSIGHTS]);
    let choice = text().enum_values(Some(choices));
    ArrayBuilder::new()
        .items(choice)
        .min_items(Some(1))
        .description(Some(
            "The types of the events that it wants; `insight.*` stands for all insights.",
        ))
        .examples([json!(["chat", "insight.*"])])
        .build()
}

fn id(prefix: &str) -> ObjectBuilder {
    text()
        .pattern(Some(format!("^{prefix}[0-9a-f]{{32}}$")))
        .examples([format!("{prefix}01a20ae72a8b7ddd9c57d49eb0a2ff81")])
}

fn words<T: VariantArray + Copy + Into<&'static str>>() -> ObjectBuilder {
    text().enum_values(Some(T::VARIANTS.iter().map(|&word| word.into())))
}
