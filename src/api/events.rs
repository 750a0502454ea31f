//! `POST /api/v1/events` and `/events/batch`: answered when the events and their deliveries are durable.

use std::borrow::Cow;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{Api, Problem, body};
use crate::{
    auth::api_key::EVENTS_WRITE,
    domain::{EventId, EventType, Timestamp, event},
    store::{AcceptedEvent, NewEvent, Submission},
};

/// Events in one batch.
const BATCH_EVENTS: usize = 1_000;

/// The largest body of a batch; each of its events may be as large as one alone.
const BATCH_LIMIT: usize = 8 * 1024 * 1024;

/// One event as it is published.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Published<'a> {
    #[serde(rename = "type", borrow)]
    event_type: Cow<'a, str>,
    /// Kept byte for byte: it is what receivers get.
    #[serde(borrow)]
    data: &'a RawValue,
    id: Option<String>,
    timestamp: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch<'a> {
    #[serde(borrow)]
    events: Vec<Published<'a>>,
}

/// What the publisher is told of an event.
#[derive(Serialize)]
struct Receipt {
    id: EventId,
    #[serde(rename = "type")]
    event_type: EventType,
    timestamp: String,
    deliveries: u32,
}

#[derive(Serialize)]
struct BatchReceipt {
    events: Vec<Receipt>,
}

pub(super) async fn publish(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = api.auth.require_key(&headers, EVENTS_WRITE).await?;
    let idempotency_key = body::idempotency_key(&headers)?;
    let bytes = body::read(body, body::LIMIT).await?;
    let published: Published<'_> = parse(&bytes)?;
    let event = published.into_event("", idempotency_key, api.clock.now())?;
    let submission = Submission {
        account_id: key.account_id.clone(),
        events: vec![event],
    };
    let accepted = api.intake.publish(submission).await?;
    let status = status_of(&accepted);
    let receipt = accepted.into_iter().next().map(Receipt::from);
    Ok((status, Json(receipt)).into_response())
}

pub(super) async fn publish_batch(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = api.auth.require_key(&headers, EVENTS_WRITE).await?;
    let idempotency_key = body::idempotency_key(&headers)?;
    let bytes = body::read(body, BATCH_LIMIT).await?;
    let batch: Batch<'_> = parse(&bytes)?;
    if batch.events.is_empty() || batch.events.len() > BATCH_EVENTS {
        return Err(Problem::invalid(
            "events",
            format!("Send 1 to {BATCH_EVENTS} events."),
        ));
    }
    let now = api.clock.now();
    let events = batch.events.into_iter().enumerate().map(|(index, published)| {
        // The batch is repeated as a whole, so each event has its place in it under the batch's key.
        let key = idempotency_key.as_ref().map(|key| format!("{key}/{index}"));
        published.into_event(&format!("events[{index}]."), key, now)
    });
    let submission = Submission {
        account_id: key.account_id.clone(),
        events: events.collect::<Result<_, _>>()?,
    };
    let accepted = api.intake.publish(submission).await?;
    let status = status_of(&accepted);
    let events = accepted.into_iter().map(Receipt::from).collect();
    Ok((status, Json(BatchReceipt { events })).into_response())
}

/// Borrows from the body, so that `data` is not copied before it is put into the envelope.
fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes)
        .map_err(|error| Problem::malformed(format!("The body is not as expected: {error}.")))
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
    /// `path` is where it stands in the body, for the names of refused fields.
    fn into_event(
        self,
        path: &str,
        idempotency_key: Option<String>,
        now: Timestamp,
    ) -> Result<NewEvent, Problem> {
        let invalid = |field: &str, message: String| Problem::invalid(format!("{path}{field}"), message);
        let event_type: EventType = self
            .event_type
            .parse()
            .map_err(|error| invalid("type", format!("{error}")))?;
        if !self.data.get().starts_with('{') {
            return Err(invalid("data", "Use a JSON object for data.".to_owned()));
        }
        if self.data.get().len() > body::LIMIT {
            return Err(Problem::too_large(body::LIMIT));
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
            timestamp: event.occurred_at.rfc3339(),
            deliveries: event.deliveries,
        }
    }
}
