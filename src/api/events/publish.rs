//! `POST /api/v1/events` and `/events/batch`: answered when the events and their deliveries are durable.

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
            rfc3339::Rfc3339,
            problem::{CommonErrors, InvalidBody, InvalidFields, Conflict, RateLimitOrBusy},
        },
    },
    auth::api_key::EVENTS_WRITE,
    domain::{EventId, EventType, Timestamp, event},
    store::{AcceptedEvent, NewEvent, Submission},
};

/// The largest body of a batch; each of its events may be as large as one alone.
const BATCH_LIMIT: usize = 8 * 1024 * 1024;

/// An event as it is published.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEvent, examples(json!({ "type": "chat", "data": { "chat_id": "c_7Qm2", "visitor": "Ada" } })))]
struct Published<'a> {
    #[serde(rename = "type", borrow)]
    #[schema(value_type = EventType)]
    event_type: Cow<'a, str>,
    /// What it is about: any JSON object. Receivers get it byte for byte.
    #[serde(borrow)]
    #[schema(value_type = Object)]
    data: &'a RawValue,
    /// Its id; without it one is made. The same id again, with the same content, is the same event.
    #[schema(value_type = Option<EventId>)]
    id: Option<String>,
    /// When it happened; without it, when it was received.
    #[schema(value_type = Option<Rfc3339>)]
    timestamp: Option<String>,
}

/// 1 to 1,000 events.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEvents)]
struct Batch<'a> {
    #[serde(borrow)]
    #[schema(min_items = 1, max_items = 1000)]
    events: Vec<Published<'a>>,
}

/// What its publisher is told of an event.
#[derive(Serialize, ToSchema)]
pub(crate) struct Receipt {
    id: EventId,
    #[serde(rename = "type")]
    event_type: EventType,
    timestamp: Rfc3339,
    /// To how many webhooks it goes.
    #[schema(examples(1))]
    deliveries: u32,
}

/// In the order in which they were published.
#[derive(Serialize, ToSchema)]
#[schema(as = Receipts)]
pub(crate) struct BatchReceipt {
    events: Vec<Receipt>,
}

/// What a publisher may add to a request.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes what `body::idempotency_key` reads")]
struct IdempotencyKeyHeader {
    /// 1 to 255 visible ASCII characters of your own choice, for events without an id: the same request again with the
    /// same key publishes nothing, and is answered with 200 as at first.
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
/// Answered when the event is on disk, together with a delivery for every webhook that wants it.
///
/// **Repeating is safe.** After a lost answer, 429 or 503 send the same again: an event with an `id`, or with an
/// `Idempotency-Key`, that was accepted before is answered with 200 and the first answer. If its type, data or timestamp
/// differ the answer is 409. Ids and keys are remembered for as long as the event is kept.
///
/// **Limits.** A body of at most 256 KiB, unless `CALEIDA_MAX_EVENT_SIZE` says otherwise. When more comes in than the
/// disk takes, 429 with `Retry-After`; also beyond `CALEIDA_EVENT_RATE_LIMIT`, if there is one, and then `RateLimit` and
/// `RateLimit-Policy` tell what is left.
#[utoipa::path(
    post, path = "/events", operation_id = "publishEvent", tag = EVENTS,
    security(("bearer" = [EVENTS_WRITE])), params(IdempotencyKeyHeader), request_body = Published<'_>,
    responses(
        (status = 202, description = "It is accepted.", body = Receipt),
        (status = 200, description = "It was accepted before: the first answer again.", body = Receipt),
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
    let at_most = api.limits.event_size;
    let bytes = body::read(body, at_most).await?;
    let published: Published<'_> = body::parse(&bytes)?;
    let event = published.into_event("", idempotency_key, api.clock.now(), at_most)?;
    let standing = api.limits.publish(&caller.account_id, 1)?;
    let submission = Submission {
        account_id: caller.account_id.clone(),
        events: vec![event],
    };
    let accepted = api.intake.publish(submission).await?;
    let status = status_of(&accepted);
    let receipt = accepted.into_iter().next().map(Receipt::from);
    Ok((status, RateLimitStatus::headers(standing.as_ref()), Json(receipt)))
}

/// Publish many events
///
/// All of them or none: one that is refused, or conflicts, refuses all. Otherwise as `POST /api/v1/events`; an
/// `Idempotency-Key` stands for the whole request, if not all of them have an id: other events under it are a conflict.
///
/// **Limits.** 1 to 1,000 events, 8 MiB in all, and each of them as large as one alone may be.
#[utoipa::path(
    post, path = "/events/batch", operation_id = "publishEvents", tag = EVENTS,
    security(("bearer" = [EVENTS_WRITE])), params(IdempotencyKeyHeader), request_body = Batch<'_>,
    responses(
        (status = 202, description = "They are accepted.", body = BatchReceipt),
        (status = 200, description = "All of them were accepted before: the first answers again.", body = BatchReceipt),
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
    let bytes = body::read(body, BATCH_LIMIT).await?;
    let batch: Batch<'_> = body::parse(&bytes)?;
    if batch.events.is_empty() || batch.events.len() > MAX_BATCH_EVENTS {
        return Err(Problem::invalid(
            "events",
            format!("Send 1 to {MAX_BATCH_EVENTS} events."),
        ));
    }
    let now = api.clock.now();
    let nameless = batch.events.iter().position(|event| event.id.is_none());
    let events = batch.events.into_iter().enumerate().map(|(index, published)| {
        // The batch is repeated as a whole, so each event has its place in it under the batch's key. No key that
        // somebody gives has a line break.
        let key = idempotency_key.as_ref().map(|key| format!("{key}\n{index}"));
        published.into_event(&format!("events[{index}]."), key, now, api.limits.event_size)
    });
    let mut events = events.collect::<Result<Vec<_>, _>>()?;
    if let Some(first) = nameless.filter(|_| idempotency_key.is_some()) {
        events[first].fingerprint = print_of_all(&events);
    }
    let standing = api.limits.publish(&caller.account_id, events.len())?;
    let submission = Submission {
        account_id: caller.account_id.clone(),
        events,
    };
    let accepted = api.intake.publish(submission).await?;
    let status = status_of(&accepted);
    let events = accepted.into_iter().map(Receipt::from).collect();
    let headers = RateLimitStatus::headers(standing.as_ref());
    Ok((status, headers, Json(BatchReceipt { events })))
}

/// Makes an event one of this batch and of no other: under the same key, more events or fewer are a conflict.
fn print_of_all(events: &[NewEvent]) -> [u8; 32] {
    let prints = events.iter().map(|event| event.fingerprint);
    let all = prints.fold(Sha256::new(), Sha256::chain_update);
    all.finalize().into()
}

/// 202 for something new, 200 if all of it was accepted before.
fn status_of(accepted: &[AcceptedEvent]) -> StatusCode {
    if accepted.iter().all(|event| event.repeated) {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    }
}

impl Published<'_> {
    /// `path` is where it stands in the body, for the names of refused fields; its data may have `at_most` bytes.
    fn into_event(
        self,
        path: &str,
        idempotency_key: Option<String>,
        now: Timestamp,
        at_most: usize,
    ) -> Result<NewEvent, Problem> {
        let invalid = |field: &str, message: String| Problem::invalid(format!("{path}{field}"), message);
        let event_type: EventType = self
            .event_type
            .parse()
            .map_err(|error| invalid("type", format!("{error}")))?;
        if !self.data.get().starts_with('{') {
            return Err(invalid("data", "Use a JSON object for data.".to_owned()));
        }
        if self.data.get().len() > at_most {
            return Err(Problem::too_large(&format!("{path}data"), at_most));
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
        // Of what was published, not of what was made of it: a repetition has no timestamp of its own either.
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
