//! `POST /api/v1/webhooks/preview-filter`: tries a filter with recent events.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    api::{
        Api, WEBHOOKS,
        http::{
            Problem,
            body::Parsed,
            caller::{Caller, Write},
            problem::{CommonErrors, InvalidBody, InvalidFields},
            rfc3339::Rfc3339,
            schema::subscribed_events,
        },
    },
    auth::api_key::WEBHOOKS_WRITE,
    domain::{EventId, EventType, EventTypes, Field, FieldErrors, ReceivedEvent, filter::Filter},
    webhooks::WebhookError,
};

/// A filter to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilterTrial {
    #[schema(schema_with = subscribed_events, required)]
    events: Vec<String>,
    #[schema(value_type = Filter)]
    filter: Box<RawValue>,
}

/// What the filter does with the newest events.
#[derive(Serialize, ToSchema)]
#[schema(as = FilterPreview)]
pub(crate) struct PreviewView {
    /// Number of events that were examined: the newest 200 of these types.
    #[schema(examples(200))]
    examined: usize,
    #[schema(examples(124))]
    matched: usize,
    /// Events that would be sent, newest first.
    matching: Vec<ExaminedEvent>,
    /// Events that would not be sent, newest first.
    others: Vec<ExaminedEvent>,
    /// Reasons why the filter may never match: contradictions, and fields that these event types do not have. Empty if
    /// none were found.
    #[schema(examples(json!(["The chosen events have no field sentimnet."])))]
    warnings: Vec<String>,
}

/// An event with the result of the filter.
#[derive(Serialize, ToSchema)]
struct ExaminedEvent {
    id: EventId,
    #[serde(rename = "type")]
    event_type: EventType,
    timestamp: Rfc3339,
    /// The part of the filter that excludes the event, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("sentiment is “negative”"))]
    condition: Option<String>,
}

impl ExaminedEvent {
    fn new(event: ReceivedEvent, condition: Option<String>) -> Self {
        Self {
            id: event.id,
            event_type: event.event_type,
            timestamp: event.occurred_at.into(),
            condition,
        }
    }
}

/// Try a filter
///
/// Evaluates a filter for the newest 200 events of these types, without saving it. Searches the newest 5,000 events of
/// the account.
#[utoipa::path(
    post, path = "/webhooks/preview-filter", operation_id = "previewFilter", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), request_body = FilterTrial,
    responses(
        (status = 200, description = "What the filter does with the newest events.", body = PreviewView),
        InvalidBody, InvalidFields, CommonErrors,
    )
)]
pub(crate) async fn preview(
    State(api): State<Api>,
    caller: Caller<Write>,
    Parsed(trial): Parsed<FilterTrial>,
) -> Result<Json<PreviewView>, Problem> {
    let mut errors = FieldErrors::default();
    let types = errors.keep(
        Field::Events,
        EventTypes::parse(trial.events.iter().map(String::as_str)),
    );
    let filter = errors.keep(Field::Filter, Filter::parse(&trial.filter));
    let (Some(types), Some(filter)) = (types, filter) else {
        return Err(WebhookError::Invalid(errors).into());
    };
    let preview = api
        .webhooks
        .preview_filter(&caller.actor(), &types, &filter)
        .await?;
    let matching = preview.matching.into_iter();
    let others = preview.others.into_iter();
    let matching: Vec<_> = matching.map(|event| ExaminedEvent::new(event, None)).collect();
    let others: Vec<_> = others
        .map(|(event, condition)| ExaminedEvent::new(event, Some(condition)))
        .collect();
    Ok(Json(PreviewView {
        examined: matching.len() + others.len(),
        matched: matching.len(),
        matching,
        others,
        warnings: preview.advice.iter().map(ToString::to_string).collect(),
    }))
}
