//! `GET /api/v1/event-types`: the catalog.

use axum::{Json, extract::State, http::HeaderMap};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Api, Problem};
use crate::{auth::api_key::WEBHOOKS_READ, domain::EventType};

#[derive(Serialize)]
struct EventTypeView {
    #[serde(rename = "type")]
    event_type: EventType,
    description: &'static str,
    schema: &'static RawValue,
    example: Box<RawValue>,
}

#[derive(Serialize)]
struct EventTypeList {
    event_types: Vec<EventTypeView>,
}

pub(super) async fn list(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<impl Serialize>, Problem> {
    api.auth.require_key(&headers, WEBHOOKS_READ).await?;
    let event_types = EventType::ALL.into_iter().map(|event_type| EventTypeView {
        event_type,
        description: event_type.meaning(),
        schema: serde_json::from_str(event_type.schema()).expect("the schemas are JSON"),
        example: RawValue::from_string(event_type.example_body()).expect("the examples are JSON"),
    });
    Ok(Json(EventTypeList {
        event_types: event_types.collect(),
    }))
}
