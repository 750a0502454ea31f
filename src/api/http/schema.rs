//! OpenAPI schemas of domain types. They are defined here so that the domain, which is compiled for the browser as
//! well, does not depend on utoipa.

use serde_json::json;
use strum::VariantArray;
use utoipa::{
    PartialSchema as _,
    openapi::{
        Array, KnownFormat, Object, ObjectBuilder, Ref, RefOr, Schema, SchemaFormat,
        schema::{AdditionalProperties, ArrayBuilder, OneOfBuilder, SchemaType, Type},
    },
};

use super::{query::Limit, rfc3339::Rfc3339};
use crate::{
    domain::{
        DeliveryId, DeliveryStatus, DisabledReason, EventId, EventType, EventTypes, RecoveryId,
        RecoveryScope, RecoveryState, WebhookId, WebhookOptions, WebhookStatus,
        delivery_settings::{Description, Retries},
        filter::{Condition, FieldPath, Filter, Operator},
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
                    utoipa::openapi::RefOr::T($schema.build().into())
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
        "`failed`: failed deliveries. `missed`: all events of the subscribed types that the webhook did not get \
         and that match its filter, including events from before it was added or while it was disabled, and cancelled \
         deliveries.",
    ));
    "RecoveryState" RecoveryState: string_enum::<RecoveryState>();
    "Retries" Retries: string_enum::<Retries>().description(Some(
        "Retry schedule. `standard`: that of the server. `short`: 5 attempts within an hour. `none`: 1 attempt.",
    ));
    "Filter" Filter: groups(&filter_items()).description(Some(
        "Conditions on the event's `data`, combined by `all` or `any`, on two levels, at most 50. Numbers are compared \
         exactly, and values of different types are not equal. A missing field is not `null`: it only meets `missing` \
         and `ne`.",
    )).examples([json!({"all": [{"field": "sentiment", "op": "eq", "value": "negative"}]})]);
    "Condition" Condition: conditions();
    "WebhookOptions" WebhookOptions: options().description(Some("Optional settings of a webhook."));
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

/// Returns the schema of a webhook's `headers` in requests.
pub(crate) fn header_values() -> Object {
    ObjectBuilder::new()
        .schema_type(nullable(Type::Object))
        .additional_properties(Some(ObjectBuilder::new().schema_type(nullable(Type::String))))
        .description(Some(
            "Values of headers that every request has, by name: at most 10, with 4096 bytes together. `null` removes a \
             header, and headers that are not named keep their values. Names that Caleida or HTTP sets cannot be used: \
             `webhook-*`, `content-*`, `host`, `user-agent` and headers of the connection. Values are stored encrypted \
             and never returned.",
        ))
        .examples([json!({"authorization": "Bearer 3fa85f64"})])
        .build()
}

/// Returns the schema of a webhook's `filter` in requests.
pub(crate) fn optional_filter() -> Schema {
    OneOfBuilder::new()
        .item(Ref::from_schema_name("Filter"))
        .item(ObjectBuilder::new().schema_type(Type::Null))
        .build()
        .into()
}

/// Returns the schema of “all” or “any” of these items.
fn group(name: &str, items: impl Into<RefOr<Schema>>) -> ObjectBuilder {
    let list = ArrayBuilder::new()
        .items(items.into())
        .min_items(Some(1))
        .max_items(Some(Filter::MAX_CONDITIONS));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property(name, list)
        .required(name)
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
}

fn groups(items: &Schema) -> OneOfBuilder {
    OneOfBuilder::new()
        .item(group("all", items.clone()))
        .item(group("any", items.clone()))
}

fn filter_items() -> Schema {
    let condition: Schema = OneOfBuilder::new()
        .item(Ref::from_schema_name("Condition"))
        .build()
        .into();
    let inner = groups(&condition);
    inner.item(Ref::from_schema_name("Condition")).build().into()
}

/// Returns the schema of a condition with these operators and value.
fn condition(operators: &[Operator], value: Option<Schema>) -> ObjectBuilder {
    let field = text()
        .description(Some(
            "Path into the event's `data`. A number addresses an array element.",
        ))
        .min_length(Some(1))
        .max_length(Some(FieldPath::MAX_LENGTH))
        .pattern(Some(r"^[^.]+(\.[^.]+){0,9}$"))
        .examples(["sentiment"]);
    let operators = text().enum_values(Some(operators.iter().map(|operator| operator.as_str())));
    let object = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("field", field)
        .required("field")
        .property("op", operators)
        .required("op")
        .additional_properties(Some(AdditionalProperties::FreeForm(false)));
    match value {
        Some(value) => object.property("value", value).required("value"),
        None => object,
    }
}

fn scalar() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![
            Type::String,
            Type::Number,
            Type::Boolean,
            Type::Null,
        ]))
        .max_length(Some(Condition::MAX_TEXT))
}

fn conditions() -> OneOfBuilder {
    use Operator::{Contains, Eq, Exists, Gt, In, Lt, Missing, Ne};
    let list = ArrayBuilder::new()
        .items(scalar())
        .min_items(Some(1))
        .max_items(Some(Condition::MAX_VALUES));
    let number = ObjectBuilder::new().schema_type(Type::Number);
    OneOfBuilder::new()
        .item(condition(&[Eq, Ne, Contains], Some(scalar().build().into())))
        .item(condition(&[In], Some(list.build().into())))
        .item(condition(&[Gt, Lt], Some(number.build().into())))
        .item(condition(&[Exists, Missing], None))
}

/// Returns the schema of the optional settings in responses.
fn options() -> ObjectBuilder {
    let header = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("name", text())
        .required("name")
        .property("set", ObjectBuilder::new().schema_type(Type::Boolean))
        .required("set");
    let integer = |maximum: u16| {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(maximum))
    };
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("description", text().max_length(Some(Description::MAX_LENGTH)))
        .property("headers", ArrayBuilder::new().items(header))
        .property("filter", Ref::from_schema_name("Filter"))
        .property("rate_limit", integer(1000))
        .property("timeout_seconds", integer(30))
        .property("retries", Ref::from_schema_name("Retries"))
        .required("retries")
}

fn nullable(kind: Type) -> SchemaType {
    SchemaType::Array(vec![kind, Type::Null])
}

fn id(prefix: &str) -> ObjectBuilder {
    text()
        .pattern(Some(format!("^{prefix}[0-9a-f]{{32}}$")))
        .examples([format!("{prefix}01a20ae72a8b7ddd9c57d49eb0a2ff81")])
}

/// Returns the schemas that only other schemas refer to.
pub(crate) fn referenced() -> [(String, RefOr<Schema>); 3] {
    [
        ("Filter".to_owned(), Filter::schema()),
        ("Condition".to_owned(), Condition::schema()),
        ("Retries".to_owned(), Retries::schema()),
    ]
}

fn string_enum<T: VariantArray + Copy + Into<&'static str>>() -> ObjectBuilder {
    text().enum_values(Some(T::VARIANTS.iter().map(|&variant| variant.into())))
}
