//! Table rows, and their conversion to and from domain types.

use std::time::Duration;

use super::{
    Destination, DestinationState, Next, Sealed, SealedSecrets, StoreError,
    database::{Bind as _, Value},
    search_key::search_text,
};
use crate::domain::{
    AccountId, Attempt, AttemptDetail, Delivery, DeliveryId, DeliveryStatus, DisabledReason, EndpointUrl,
    EventId, EventType, EventTypes, FailureReason, Outcome, Principal, Role, Timestamp, TlsProblem, User,
    UserId, Webhook, WebhookId, WebhookName, WebhookOptions, WebhookSettings, WebhookStatus,
    custom_header::{CustomHeaderName, HeaderNames},
    delivery_settings::{Description, RateLimit, Retries, TimeoutSeconds},
    filter::Filter,
    health::{FailureSeries, Health, RecentAttempts, health},
    webhook::LastAttempt,
};

/// Stored status of a delivery that was leased by the insert that stored it. Outside of the store, its status is
/// pending.
///
/// Such a row is in one index instead of three. Most deliveries end with their first attempt, so they enter the other
/// indexes once, with their outcome.
pub(super) const NEW_STATUS: &str = "new";

from_row! {
    pub(super) struct UserRow {
        id: UserId,
        account_id: AccountId,
        email: String,
        role: Role,
    }
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id,
            account_id: row.account_id,
            email: row.email,
            role: row.role,
        }
    }
}

/// Columns of [`WebhookRow`].
pub(super) const WEBHOOK_COLUMNS: &str = "id, name, url, events, description, header_names, filter, rate_limit, \
     timeout_seconds, retries, state, disabled_reason, failing_since, failed_attempts, \
     failed_days, recent_attempts, recent_failures, last_attempt_at, last_status_code, last_failure, previous_secret_until, version, created_at, updated_at, updated_by";

from_row! {
    pub(super) struct WebhookRow {
        id: WebhookId,
        name: WebhookName,
        url: EndpointUrl,
        events: EventTypes,
        description: Option<Description>,
        header_names: Option<HeaderNames>,
        filter: Option<Filter>,
        rate_limit: Option<RateLimit>,
        timeout_seconds: Option<TimeoutSeconds>,
        retries: Option<Retries>,
        state: DestinationState,
        disabled_reason: Option<DisabledReason>,
        failing_since: Option<Timestamp>,
        failed_attempts: u32,
        failed_days: u32,
        recent_attempts: u32,
        recent_failures: i64,
        last_attempt_at: Option<Timestamp>,
        last_status_code: Option<i64>,
        last_failure: Option<FailureReason>,
        previous_secret_until: Option<Timestamp>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        updated_by: Principal,
    }
}

impl TryFrom<WebhookRow> for Webhook {
    type Error = StoreError;

    fn try_from(row: WebhookRow) -> Result<Self, StoreError> {
        let series = row.failing_since.zip(row.last_attempt_at);
        let series = series.map(|(since, last)| FailureSeries {
            since,
            last,
            attempts: row.failed_attempts,
            days: row.failed_days,
        });
        let recent_attempts = RecentAttempts {
            total: row.recent_attempts,
            failed: row.recent_failures.count_ones(),
        };
        let status = match row.state {
            DestinationState::Active => match health(series, recent_attempts) {
                Health::Active => WebhookStatus::Active,
                Health::Degraded => WebhookStatus::Degraded,
                Health::Failing => WebhookStatus::Failing,
            },
            DestinationState::Paused => WebhookStatus::Paused,
            DestinationState::Disabled => WebhookStatus::Disabled,
        };
        let outcome = last_outcome(row.last_status_code, row.last_failure)?;
        let last_attempt = row.last_attempt_at.zip(outcome);
        Ok(Self {
            id: row.id,
            settings: WebhookSettings {
                url: row.url,
                name: row.name,
                events: row.events,
                options: WebhookOptions {
                    description: row.description,
                    headers: row.header_names.unwrap_or_default(),
                    filter: row.filter,
                    rate_limit: row.rate_limit,
                    timeout_seconds: row.timeout_seconds,
                    retries: row.retries.unwrap_or_default(),
                },
            },
            status,
            disabled_reason: row.disabled_reason,
            failing: series.filter(|_| status == WebhookStatus::Failing),
            recent_attempts,
            last_attempt: last_attempt.map(|(at, outcome)| LastAttempt { at, outcome }),
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            updated_by: row.updated_by,
            previous_secret_until: row.previous_secret_until,
        })
    }
}

/// Returns the columns of the settings of a webhook and their values.
pub(super) fn setting_columns(settings: &WebhookSettings) -> [(&'static str, Value); 10] {
    let WebhookSettings {
        url,
        name,
        events,
        options,
    } = settings;
    let names: Vec<_> = options.headers.iter().map(CustomHeaderName::as_str).collect();
    let description = options.description.as_ref().map(Description::as_str);
    [
        ("name", name.into_value()),
        ("url", url.into_value()),
        ("events", event_types_text(events).into_value()),
        ("search_text", search_text(name, url).into_value()),
        ("description", description.into_value()),
        (
            "header_names",
            Some(names.join(","))
                .filter(|names| !names.is_empty())
                .into_value(),
        ),
        (
            "filter",
            options.filter.as_ref().map(Filter::to_json).into_value(),
        ),
        ("rate_limit", options.rate_limit.map(i64::from).into_value()),
        (
            "timeout_seconds",
            options.timeout_seconds.map(i64::from).into_value(),
        ),
        ("retries", options.retries.as_str().into_value()),
    ]
}

/// Formats event types as stored, for example `chat,message`.
pub(super) fn event_types_text(events: &EventTypes) -> String {
    events.iter().map(EventType::as_str).collect::<Vec<_>>().join(",")
}

/// Columns of [`SecretsRow`].
pub(super) const SECRETS_COLUMNS: &str = "url, timeout_seconds, retries, headers, headers_key_id, state, secret, secret_key_id, previous_secret, previous_secret_key_id, \
     previous_secret_until";

from_row! {
    pub(super) struct SecretsRow {
        url: EndpointUrl,
        timeout_seconds: Option<TimeoutSeconds>,
        retries: Option<Retries>,
        headers: Option<Vec<u8>>,
        headers_key_id: Option<String>,
        state: DestinationState,
        secret: Option<Vec<u8>>,
        secret_key_id: Option<String>,
        previous_secret: Option<Vec<u8>>,
        previous_secret_key_id: Option<String>,
        previous_secret_until: Option<Timestamp>,
    }
}

impl TryFrom<SecretsRow> for Destination {
    type Error = StoreError;

    fn try_from(row: SecretsRow) -> Result<Self, StoreError> {
        let current = Sealed::from_columns(row.secret, row.secret_key_id);
        let previous = Sealed::from_columns(row.previous_secret, row.previous_secret_key_id);
        Ok(Self {
            url: row.url,
            timeout: row.timeout_seconds,
            retries: row.retries.unwrap_or_default(),
            state: row.state,
            secrets: SealedSecrets {
                current: current.ok_or(StoreError::Corrupt("secret"))?,
                previous: previous.zip(row.previous_secret_until),
                headers: Sealed::from_columns(row.headers, row.headers_key_id),
            },
        })
    }
}

/// Columns of [`DeliveryRow`], selected from `deliveries d join events e join webhooks w`.
pub(super) const DELIVERY_COLUMNS: &str = "d.id, d.webhook_id, w.name as webhook_name, w.deleted_at as webhook_deleted_at, \
     e.id as event_id, d.event_type, d.status, d.attempts, d.next_attempt_at, d.lease, d.last_status_code, \
     d.last_failure, d.updated_at";

from_row! {
    pub(super) struct DeliveryRow {
        id: DeliveryId,
        webhook_id: WebhookId,
        webhook_name: String,
        webhook_deleted_at: Option<Timestamp>,
        event_id: EventId,
        event_type: EventType,
        status: DeliveryStatus,
        attempts: u32,
        next_attempt_at: Option<Timestamp>,
        lease: Option<Vec<u8>>,
        last_status_code: Option<i64>,
        last_failure: Option<FailureReason>,
        updated_at: Timestamp,
    }
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        let is_waiting = row.status == DeliveryStatus::Pending && row.lease.is_none();
        Ok(Self {
            created_at: row.id.created_at(),
            id: row.id,
            webhook_id: row.webhook_id,
            webhook_name: row.webhook_name,
            webhook_deleted: row.webhook_deleted_at.is_some(),
            event_id: row.event_id,
            event_type: row.event_type,
            status: row.status,
            attempts: row.attempts,
            next_attempt_at: row.next_attempt_at.filter(|_| is_waiting),
            last_outcome: last_outcome(row.last_status_code, row.last_failure)?,
            updated_at: row.updated_at,
        })
    }
}

/// Columns of [`AttemptRow`].
pub(super) const ATTEMPT_COLUMNS: &str = "number, started_at, duration_ms, url, status_code, retry_after, failure, tls_problem, \
     detail, request_headers, response_headers, response_body, response_truncated";

from_row! {
    pub(super) struct AttemptRow {
        number: u32,
        started_at: Timestamp,
        duration_ms: u64,
        url: EndpointUrl,
        status_code: Option<i64>,
        retry_after: Option<u64>,
        failure: Option<FailureReason>,
        tls_problem: Option<TlsProblem>,
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
        let retry_after = row.retry_after.map(Duration::from_secs);
        let outcome = outcome(row.status_code, retry_after, row.failure)?;
        Ok(Self {
            number: row.number,
            started_at: row.started_at,
            duration: Duration::from_millis(row.duration_ms),
            outcome: outcome.ok_or(StoreError::Corrupt("attempt"))?,
            detail: match row.tls_problem {
                Some(problem) => Some(AttemptDetail::Tls(problem)),
                None => row.detail.map(AttemptDetail::Text),
            },
            url: row.url,
            request_headers: headers(&row.request_headers)?,
            response_headers: headers(&row.response_headers)?,
            response_body: row.response_body,
            response_truncated: row.response_truncated,
        })
    }
}

fn outcome(
    status_code: Option<i64>,
    retry_after: Option<Duration>,
    failure: Option<FailureReason>,
) -> Result<Option<Outcome>, StoreError> {
    let Some(status) = status_code else {
        return Ok(failure.map(Outcome::Failed));
    };
    Ok(Some(Outcome::Answered {
        status: u16::try_from(status).map_err(|_| StoreError::Corrupt("status code"))?,
        retry_after,
    }))
}

/// Parses the outcome of the last attempt, as stored with deliveries and webhooks.
fn last_outcome(
    status_code: Option<i64>,
    failure: Option<FailureReason>,
) -> Result<Option<Outcome>, StoreError> {
    outcome(status_code, None, failure)
}

fn headers(json: &str) -> Result<Vec<(String, String)>, StoreError> {
    serde_json::from_str(json).map_err(|_| StoreError::Corrupt("list of headers"))
}

pub(super) fn headers_text(headers: &[(String, String)]) -> String {
    serde_json::to_string(headers).expect("headers serialize to JSON")
}

/// Returns the columns `status_code`, `retry_after` and `failure` of an attempt.
pub(super) fn outcome_columns(outcome: Outcome) -> (Option<i64>, Option<i64>, Option<FailureReason>) {
    match outcome {
        Outcome::Answered { status, retry_after } => {
            let seconds = |delay: Duration| i64::try_from(delay.as_secs()).unwrap_or(i64::MAX);
            (Some(i64::from(status)), retry_after.map(seconds), None)
        }
        Outcome::Failed(reason) => (None, None, Some(reason)),
    }
}

/// Returns the columns `status` and `next_attempt_at` of a delivery after an attempt.
pub(super) fn next_columns(next: Next) -> (DeliveryStatus, Option<Timestamp>) {
    match next {
        Next::Delivered => (DeliveryStatus::Delivered, None),
        Next::RetryAt(at) => (DeliveryStatus::Pending, Some(at)),
        Next::Failed | Next::DisableWebhook(_) => (DeliveryStatus::Failed, None),
        Next::Cancelled => (DeliveryStatus::Cancelled, None),
    }
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
