//! Rows as the tables have them, and the way back to types that cannot be wrong.

use std::{str::FromStr, time::Duration};

use crate::{
    domain::{
        Attempt, Delivery, DeliveryStatus, EndpointUrl, EventType, EventTypes, Outcome, Role, Timestamp,
        Transport, User, Webhook, WebhookName, WebhookStatus, webhook::LastAttempt,
    },
    store::{Destination, DestinationState, Next, Sealed, SealedSecrets, StoreError},
};

/// Parses a stored text, or says which kind of value is corrupt.
pub(super) fn stored<T: FromStr>(text: &str, what: &'static str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt(what))
}

pub(super) fn stored_id<T: FromStr>(text: &str) -> Result<T, StoreError> {
    stored(text, "identifier")
}

pub(super) fn stored_role(text: &str) -> Result<Role, StoreError> {
    stored(text, "role")
}

pub(super) fn stored_user(id: &str, account: &str, email: String, role: &str) -> Result<User, StoreError> {
    Ok(User {
        id: stored_id(id)?,
        account_id: stored_id(account)?,
        email,
        role: stored_role(role)?,
    })
}

pub(super) fn timestamp(millis: Option<i64>) -> Option<Timestamp> {
    millis.map(Timestamp::from_millis)
}

/// A count that the database holds as a signed number.
pub(super) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn small_count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(if number < 0 { 0 } else { u32::MAX })
}

/// The columns of [`WebhookRow`].
pub(super) const WEBHOOK: &str = "id, name, url, events, state, disabled_reason, failing_since, last_attempt_at, \
     last_attempt_summary, last_attempt_succeeded, previous_secret_until, version, created_at, updated_at, updated_by";

from_row! {
    pub(super) struct WebhookRow {
        id: String,
        name: String,
        url: String,
        events: String,
        state: String,
        disabled_reason: Option<String>,
        failing_since: Option<i64>,
        last_attempt_at: Option<i64>,
        last_attempt_summary: Option<String>,
        last_attempt_succeeded: Option<bool>,
        previous_secret_until: Option<i64>,
        version: i64,
        created_at: i64,
        updated_at: i64,
        updated_by: String,
    }
}

impl TryFrom<WebhookRow> for Webhook {
    type Error = StoreError;

    fn try_from(row: WebhookRow) -> Result<Self, StoreError> {
        let failing_since = timestamp(row.failing_since);
        let status = match destination_state(&row.state)? {
            DestinationState::Active if failing_since.is_some() => WebhookStatus::Failing,
            DestinationState::Active => WebhookStatus::Active,
            DestinationState::Paused => WebhookStatus::Paused,
            DestinationState::Disabled => WebhookStatus::Disabled,
        };
        let last_attempt = timestamp(row.last_attempt_at).map(|at| LastAttempt {
            at,
            summary: row.last_attempt_summary.unwrap_or_default(),
            succeeded: row.last_attempt_succeeded.unwrap_or_default(),
        });
        Ok(Self {
            id: stored_id(&row.id)?,
            name: WebhookName::parse(&row.name).map_err(|_| StoreError::Corrupt("webhook name"))?,
            url: stored_url(&row.url)?,
            events: event_types(&row.events)?,
            status,
            disabled_reason: row.disabled_reason.and_then(|reason| reason.parse().ok()),
            failing_since,
            last_attempt,
            version: row.version,
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
            updated_by: row.updated_by,
            previous_secret_until: timestamp(row.previous_secret_until),
        })
    }
}

/// Whether http is allowed is asked when a URL is saved; what was saved stays readable when that is tightened.
fn stored_url(text: &str) -> Result<EndpointUrl, StoreError> {
    EndpointUrl::parse(text, Transport::HttpAllowed).map_err(|_| StoreError::Corrupt("webhook URL"))
}

/// `chat,message`
pub(super) fn event_types(text: &str) -> Result<EventTypes, StoreError> {
    EventTypes::parse(text.split(',')).map_err(|_| StoreError::Corrupt("selection of events"))
}

pub(super) fn event_types_text(events: &EventTypes) -> String {
    events.iter().map(EventType::as_str).collect::<Vec<_>>().join(",")
}

pub(super) fn destination_state(text: &str) -> Result<DestinationState, StoreError> {
    stored(text, "webhook state")
}

/// The columns of [`SecretsRow`].
pub(super) const SECRETS: &str = "url, state, secret, secret_key_id, previous_secret, previous_secret_key_id, \
     previous_secret_until";

from_row! {
    pub(super) struct SecretsRow {
        url: String,
        state: String,
        secret: Option<Vec<u8>>,
        secret_key_id: Option<String>,
        previous_secret: Option<Vec<u8>>,
        previous_secret_key_id: Option<String>,
        previous_secret_until: Option<i64>,
    }
}

impl TryFrom<SecretsRow> for Destination {
    type Error = StoreError;

    fn try_from(row: SecretsRow) -> Result<Self, StoreError> {
        let sealed = |ciphertext: Option<Vec<u8>>, key_id: Option<String>| {
            Some(Sealed {
                ciphertext: ciphertext?,
                key_id: key_id?,
            })
        };
        let current = sealed(row.secret, row.secret_key_id).ok_or(StoreError::Corrupt("secret"))?;
        let previous =
            sealed(row.previous_secret, row.previous_secret_key_id).zip(timestamp(row.previous_secret_until));
        Ok(Self {
            url: stored_url(&row.url)?,
            state: destination_state(&row.state)?,
            secrets: SealedSecrets { current, previous },
        })
    }
}

/// The columns of [`DeliveryRow`], of `deliveries d join webhooks w`.
pub(super) const DELIVERY: &str = "d.id, d.webhook_id, w.name as webhook_name, w.deleted_at as webhook_deleted_at, \
     d.event_id, d.event_type, d.status, d.attempts, d.created_at, d.next_attempt_at, d.lease, d.last_result, \
     d.updated_at";

from_row! {
    pub(super) struct DeliveryRow {
        id: String,
        webhook_id: String,
        webhook_name: String,
        webhook_deleted_at: Option<i64>,
        event_id: String,
        event_type: String,
        status: String,
        attempts: i64,
        created_at: i64,
        next_attempt_at: Option<i64>,
        lease: Option<String>,
        last_result: Option<String>,
        updated_at: i64,
    }
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        let status = stored(&row.status, "delivery status")?;
        let waiting = status == DeliveryStatus::Pending && row.lease.is_none();
        Ok(Self {
            id: stored_id(&row.id)?,
            webhook_id: stored_id(&row.webhook_id)?,
            webhook_name: row.webhook_name,
            webhook_deleted: row.webhook_deleted_at.is_some(),
            event_id: stored_id(&row.event_id)?,
            event_type: stored(&row.event_type, "event type")?,
            status,
            attempts: small_count(row.attempts),
            created_at: Timestamp::from_millis(row.created_at),
            next_attempt_at: timestamp(row.next_attempt_at).filter(|_| waiting),
            last_result: row.last_result,
            updated_at: Timestamp::from_millis(row.updated_at),
        })
    }
}

/// The columns of [`AttemptRow`].
pub(super) const ATTEMPT: &str = "number, started_at, duration_ms, url, status_code, retry_after, failure, detail, \
     request_headers, response_headers, response_body, response_truncated";

from_row! {
    pub(super) struct AttemptRow {
        number: i64,
        started_at: i64,
        duration_ms: i64,
        url: String,
        status_code: Option<i64>,
        retry_after: Option<i64>,
        failure: Option<String>,
        detail: Option<String>,
        request_headers: String,
        response_headers: String,
        response_body: Vec<u8>,
        response_truncated: bool,
    }
}

impl TryFrom<AttemptRow> for Attempt {
    type Error = StoreError;

    fn try_from(row: AttemptRow) -> Result<Self, StoreError> {
        let outcome = match (row.status_code, row.failure.as_deref()) {
            (Some(status), _) => Outcome::Answered {
                status: u16::try_from(status).map_err(|_| StoreError::Corrupt("status code"))?,
                retry_after: row.retry_after.map(|seconds| Duration::from_secs(count(seconds))),
            },
            (None, Some(failure)) => Outcome::Failed(stored(failure, "failure reason")?),
            (None, None) => return Err(StoreError::Corrupt("attempt")),
        };
        Ok(Self {
            number: small_count(row.number),
            started_at: Timestamp::from_millis(row.started_at),
            duration: Duration::from_millis(count(row.duration_ms)),
            outcome,
            detail: row.detail,
            url: row.url,
            request_headers: headers(&row.request_headers)?,
            response_headers: headers(&row.response_headers)?,
            response_body: row.response_body,
            response_truncated: row.response_truncated,
        })
    }
}

fn headers(json: &str) -> Result<Vec<(String, String)>, StoreError> {
    serde_json::from_str(json).map_err(|_| StoreError::Corrupt("list of headers"))
}

pub(super) fn headers_text(headers: &[(String, String)]) -> String {
    serde_json::to_string(headers).expect("pairs of texts are JSON")
}

from_row! {
    pub(super) struct ClaimedRow {
        pub(super) id: String,
        pub(super) account_id: String,
        pub(super) webhook_id: String,
        pub(super) event_id: String,
        pub(super) attempts: i64,
        pub(super) earlier_attempts: i64,
    }
}

from_row! {
    pub(super) struct PayloadRow {
        pub(super) account_id: String,
        pub(super) id: String,
        pub(super) payload: Vec<u8>,
    }
}

/// The columns `status_code`, `retry_after` and `failure` of an attempt.
pub(super) fn outcome_columns(outcome: Outcome) -> (Option<i64>, Option<i64>, Option<&'static str>) {
    match outcome {
        Outcome::Answered { status, retry_after } => {
            let seconds = |pause: Duration| i64::try_from(pause.as_secs()).unwrap_or(i64::MAX);
            (Some(i64::from(status)), retry_after.map(seconds), None)
        }
        Outcome::Failed(reason) => (None, None, Some(reason.as_str())),
    }
}

/// The columns `status` and `next_attempt_at` of a delivery after an attempt.
pub(super) fn next_columns(next: Next) -> (&'static str, Option<i64>) {
    match next {
        Next::Delivered => ("delivered", None),
        Next::RetryAt(at) => ("pending", Some(at.as_millis())),
        Next::Failed | Next::DisableWebhook(_) => ("failed", None),
        Next::Cancelled => ("cancelled", None),
    }
}

/// A count as the databases take it.
pub(super) fn bound(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
