//! `GET /api/v1/event-types`: the catalog of event types.

use axum::Json;
use serde::Serialize;
use serde_json::value::RawValue;
use strum::VariantArray;
use utoipa::ToSchema;

use super::{
    EVENTS,
    http::{
        caller::{Caller, Read},
        problem::CommonErrors,
    },
};
use crate::{auth::api_key::WEBHOOKS_READ, domain::EventType};

/// An event type in the catalog.
#[derive(Serialize, ToSchema)]
#[schema(as = EventTypeEntry)]
struct EventTypeView {
    #[serde(rename = "type")]
    event_type: EventType,
    #[schema(examples("Triggered when a new chat is created. Chats are started by visitors."))]
    description: &'static str,
    /// JSON Schema (2020-12) of the body that receivers get.
    #[schema(value_type = Object)]
    schema: &'static RawValue,
    /// Example body.
    #[schema(value_type = Object)]
    example: Box<RawValue>,
}

/// Catalog of event types.
#[derive(Serialize, ToSchema)]
pub(super) struct EventTypeList {
    event_types: Vec<EventTypeView>,
}

/// List event types
///
/// Returns all event types, each with a description, the JSON Schema of its body and an example.
#[utoipa::path(
    get, path = "/event-types", operation_id = "listEventTypes", tag = EVENTS,
    security(("bearer" = [WEBHOOKS_READ])),
    responses((status = 200, description = "All event types.", body = EventTypeList), CommonErrors)
)]
pub(super) async fn list(_: Caller<Read>) -> Json<EventTypeList> {
    let event_types = EventType::VARIANTS.iter().map(|&event_type| EventTypeView {
        event_type,
        description: event_type.meaning(),
        schema: serde_json::from_str(event_type.schema()).expect("schemas are valid JSON"),
        example: RawValue::from_string(event_type.example_body()).expect("examples are valid JSON"),
    });
    Json(EventTypeList {
        event_types: event_types.collect(),
    })
}
