//! `POST /api/v1/events` and `POST /api/v1/events/batch`: publish events. The response is sent once the events and
//! their deliveries are durable.

use std::borrow::Cow;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use crate::{
    api::{
        Api, EVENTS,
        http::{
            Problem, body,
            caller::{Caller, Publish},
            limits::{MAX_BATCH_EVENTS, RateLimitStatus},
            problem::{CommonErrors, Conflict, InvalidBody, InvalidFields, RateLimitOrBusy},
            rfc3339::Rfc3339,
        },
    },
    auth::api_key::EVENTS_WRITE,
    domain::{EventId, EventType, Timestamp, event, json_text::find_lone_surrogate},
    store::{AcceptedEvent, NewEvent, Submission},
};

/// Maximum size of the body of a batch. Each event in it has the same limit as a single event.
const MAX_BATCH_BODY: usize = 8 * 1024 * 1024;

/// An event to publish.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEvent, examples(json!({ "type": "chat", "data": { "chat_id": "c_7Qm2", "visitor": "Ada" } })))]
struct EventRequest<'a> {
    #[serde(rename = "type", borrow)]
    #[schema(value_type = EventType)]
    event_type: Cow<'a, str>,
    /// Event data: any JSON object without lone surrogates. Receivers get it byte for byte.
    #[serde(borrow)]
    #[schema(value_type = Object)]
    data: &'a RawValue,
    /// Event id. Generated if omitted. Publishing the same id with the same content again has no effect.
    #[schema(value_type = Option<EventId>)]
    id: Option<String>,
    /// When the event happened. Defaults to when it was received.
    #[schema(value_type = Option<Rfc3339>)]
    timestamp: Option<String>,
}

/// A batch of 1 to 1,000 events.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEvents)]
struct BatchRequest<'a> {
    #[serde(borrow, deserialize_with = "body::objects")]
    #[schema(min_items = 1, max_items = 1000)]
    events: Vec<EventRequest<'a>>,
}

/// An accepted event.
#[derive(Serialize, ToSchema)]
pub(crate) struct Receipt {
    id: EventId,
    #[serde(rename = "type")]
    event_type: EventType,
    timestamp: Rfc3339,
    /// Number of deliveries created for the event.
    #[schema(examples(1))]
    deliveries: u32,
}

/// The accepted events, in the order of the request.
#[derive(Serialize, ToSchema)]
#[schema(as = Receipts)]
pub(crate) struct BatchReceipt {
    events: Vec<Receipt>,
}

/// The `Idempotency-Key` request header.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(
    dead_code,
    reason = "documents the header that `body::idempotency_key` parses"
)]
struct IdempotencyKeyHeader {
    /// Key of your choice, 1 to 255 visible ASCII characters, for events without an id. Repeating the request with the
    /// same key publishes nothing and returns the first response with status 200.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        nullable = false,
        pattern = "^[!-~]+$"
    )]
    idempotency_key: Option<String>,
}

/// Publish an event
///
/// The response is sent once the event is stored durably, with a delivery for every subscribed webhook.
///
/// **Retries are safe.** After a lost response, 429 or 503, send the same request again. If an event with the same
/// `id` or `Idempotency-Key` was accepted before, the first response is returned with status 200. If its type, data or
/// timestamp differs, the response is 409. Ids and keys are known for as long as the event is kept.
///
/// **Data.** Receivers get `data` byte for byte. Numbers that do not fit a double, such as `1e999` or
/// `12345678901234567890`, and repeated field names are accepted and passed on, but parsers differ in how they read
/// them: send such numbers as strings. A string or field name with a lone surrogate, such as `"\ud83d"`, is rejected
/// with 422, because most parsers reject the whole body. The message contains the JSON pointer of its place in `data`.
///
/// **Limits.** A body of up to 256 KiB, unless `CALEIDA_MAX_EVENT_SIZE` is set. If the server receives more events
/// than it can store, the response is 429 with `Retry-After`. The same applies over the limit of
/// `CALEIDA_EVENT_RATE_LIMIT`, if it is set; the `RateLimit` and `RateLimit-Policy` headers then show what remains.
#[utoipa::path(
    post, path = "/events", operation_id = "publishEvent", tag = EVENTS,
    security(("bearer" = [EVENTS_WRITE])), params(IdempotencyKeyHeader), request_body = EventRequest<'_>,
    responses(
        (status = 202, description = "The event was accepted.", body = Receipt),
        (status = 200, description = "The event was already accepted. Returns the first response.", body = Receipt),
        InvalidBody, InvalidFields, Conflict, CommonErrors, RateLimitOrBusy,
    )
)]
pub(crate) async fn publish(
    State(api): State<Api>,
    caller: Caller<Publish>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, HeaderMap, Json<Option<Receipt>>), Problem> {
    let idempotency_key = body::idempotency_key(&headers)?;
    let max_size = api.limits.event_size;
    let bytes = body::read(&headers, body, max_size).await?;
    let request: EventRequest<'_> = body::parse(&bytes)?;
    let event = request.into_event("", idempotency_key, api.clock.now(), max_size)?;
    let rate_limit = api.limits.publish(&caller.account_id, 1)?;
    let submission = Submission {
        account_id: caller.account_id.clone(),
        events: vec![event],
    };
    let accepted = api.intake.publish(submission).await?;
    let status = status_of(&accepted);
    let receipt = accepted.into_iter().next().map(Receipt::from);
    Ok((
        status,
        RateLimitStatus::headers(rate_limit.as_ref()),
        Json(receipt),
    ))
}

/// Publish a batch of events
///
/// Publishes all events or none: if one event is invalid or conflicts, the whole batch is rejected. Otherwise like
/// `POST /api/v1/events`. If an event has no id, an `Idempotency-Key` applies to the whole request: other events with
/// the same key are a conflict.
///
/// **Limits.** 1 to 1,000 events and 8 MiB per request. Each event has the same limit as a single event.
#[utoipa::path(
    post, path = "/events/batch", operation_id = "publishEvents", tag = EVENTS,
    security(("bearer" = [EVENTS_WRITE])), params(IdempotencyKeyHeader), request_body = BatchRequest<'_>,
    responses(
        (status = 202, description = "The events were accepted.", body = BatchReceipt),
        (status = 200, description = "All events were already accepted. Returns the first response.", body = BatchReceipt),
        InvalidBody, InvalidFields, Conflict, CommonErrors, RateLimitOrBusy,
    )
)]
pub(crate) async fn publish_batch(
    State(api): State<Api>,
    caller: Caller<Publish>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, HeaderMap, Json<BatchReceipt>), Problem> {
    let idempotency_key = body::idempotency_key(&headers)?;
    let bytes = body::read(&headers, body, MAX_BATCH_BODY).await?;
    let batch: BatchRequest<'_> = body::parse(&bytes)?;
    if batch.events.is_empty() || batch.events.len() > MAX_BATCH_EVENTS {
        return Err(Problem::invalid(
            "events",
            format!("Send 1 to {MAX_BATCH_EVENTS} events."),
        ));
    }
    let now = api.clock.now();
    let first_without_id = batch.events.iter().position(|event| event.id.is_none());
    let events = batch.events.into_iter().enumerate().map(|(index, request)| {
        // A batch is retried as a whole, so the index identifies an event. Keys of clients contain no line breaks, so
        // the derived keys cannot collide with them.
        let key = idempotency_key.as_ref().map(|key| format!("{key}\n{index}"));
        request.into_event(&format!("events[{index}]."), key, now, api.limits.event_size)
    });
    let mut events = events.collect::<Result<Vec<_>, _>>()?;
    if let Some(first) = first_without_id.filter(|_| idempotency_key.is_some()) {
        events[first].fingerprint = batch_fingerprint(&events);
    }
    let rate_limit = api.limits.publish(&caller.account_id, events.len())?;
    let submission = Submission {
        account_id: caller.account_id.clone(),
        events,
    };
    let accepted = api.intake.publish(submission).await?;
    let status = status_of(&accepted);
    let events = accepted.into_iter().map(Receipt::from).collect();
    let headers = RateLimitStatus::headers(rate_limit.as_ref());
    Ok((status, headers, Json(BatchReceipt { events })))
}

/// Returns a fingerprint of the whole batch, so that other events with the same key are a conflict.
fn batch_fingerprint(events: &[NewEvent]) -> [u8; 32] {
    let fingerprints = events.iter().map(|event| event.fingerprint);
    let all = fingerprints.fold(Sha256::new(), Sha256::chain_update);
    all.finalize().into()
}

/// Returns 200 if all events were already accepted, 202 otherwise.
fn status_of(accepted: &[AcceptedEvent]) -> StatusCode {
    if accepted.iter().all(|event| event.repeated) {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    }
}

impl EventRequest<'_> {
    /// Validates the event. `path` is its position in the body, for the names of invalid fields. `max_size` limits its
    /// data.
    fn into_event(
        self,
        path: &str,
        idempotency_key: Option<String>,
        now: Timestamp,
        max_size: usize,
    ) -> Result<NewEvent, Problem> {
        let invalid = |field: &str, message: String| Problem::invalid(format!("{path}{field}"), message);
        let event_type: EventType = self
            .event_type
            .parse()
            .map_err(|error| invalid("type", format!("{error}")))?;
        if !self.data.get().starts_with('{') {
            return Err(invalid("data", "Use a JSON object for data.".to_owned()));
        }
        if self.data.get().len() > max_size {
            return Err(Problem::too_large(&format!("{path}data"), max_size));
        }
        if let Some(surrogate) = find_lone_surrogate(self.data.get()) {
            return Err(invalid("data", surrogate.to_string()));
        }
        let id = match &self.id {
            Some(text) => text.parse().map_err(|error| invalid("id", format!("{error}")))?,
            None => EventId::generate(now),
        };
        let occurred_at = match &self.timestamp {
            Some(text) => Timestamp::parse_rfc3339(text).ok_or_else(|| {
                invalid(
                    "timestamp",
                    "Use an RFC 3339 time such as 2026-11-23T10:00:00Z.".to_owned(),
                )
            })?,
            None => now,
        };
        // Covers the request's fields without defaults, so that a retry without a timestamp has the same fingerprint.
        let fingerprint = Sha256::new()
            .chain_update(event_type.as_str())
            .chain_update([0])
            .chain_update(self.timestamp.as_deref().unwrap_or_default())
            .chain_update([0])
            .chain_update(self.data.get())
            .finalize()
            .into();
        let payload = event::envelope(event_type, occurred_at, self.data).into();
        Ok(NewEvent {
            id,
            idempotency_key,
            event_type,
            occurred_at,
            payload,
            fingerprint,
        })
    }
}

impl From<AcceptedEvent> for Receipt {
    fn from(event: AcceptedEvent) -> Self {
        Self {
            id: event.id,
            event_type: event.event_type,
            timestamp: event.occurred_at.into(),
            deliveries: event.deliveries,
        }
    }
}
