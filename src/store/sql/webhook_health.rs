//! Statistics and health of webhooks, updated with the outcomes of attempts.

use std::collections::BTreeMap;

use serde_json::json;

use super::{audit, settling::settle, webhook_changes::record_history};
use crate::{
    domain::{
        AccountId, Actor, Attempt, AuditAction, DisabledReason, FailureReason, Latencies, Outcome, Timestamp,
        WebhookId,
        health::{self, Escalation, FailureSeries, RECENT_ATTEMPTS},
    },
    store::{
        AuditEvent, Next, RecordedAttempt, StoreError,
        database::{Bind as _, Connection, Kind, Rows, query},
        rows::outcome_columns,
    },
};

const DAY_MILLIS: i64 = 86_400_000;

/// One bit for each of the recent attempts.
const RECENT_MASK: i64 = (1 << RECENT_ATTEMPTS) - 1;

/// Updates the statistics and health of webhooks. Returns the webhooks that were disabled.
pub(super) async fn record_outcomes(
    connection: &mut Connection,
    attempts: &[RecordedAttempt],
) -> Result<Vec<WebhookId>, StoreError> {
    let statistics = AttemptStatistics::by_webhook(attempts);
    let mut disabled = Vec::new();
    save_last_attempts(connection, &statistics).await?;
    for (&webhook, batch) in &statistics {
        if batch.series.is_some()
            && let Some(escalation) = batch.escalate(connection, webhook).await?
        {
            tracing::warn!(%webhook, verdict = ?escalation, "webhook keeps failing");
            if escalation == Escalation::Disable {
                disabled.push((webhook.clone(), DisabledReason::Failing, ended_at(batch.last)));
            }
        }
    }
    save_hours(connection, &statistics).await?;
    save_latencies(connection, &statistics).await?;
    for attempt in attempts {
        if let Next::DisableWebhook(reason) = attempt.next {
            let at = ended_at(&attempt.attempt);
            disabled.push((attempt.webhook_id.clone(), reason, at));
        }
    }
    for (webhook, reason, at) in &disabled {
        disable_webhook(connection, webhook, *reason, *at).await?;
    }
    Ok(disabled.into_iter().map(|(webhook, ..)| webhook).collect())
}

type StatisticsByWebhook<'a> = BTreeMap<&'a WebhookId, AttemptStatistics<'a>>;

async fn save_last_attempts(
    connection: &mut Connection,
    statistics: &StatisticsByWebhook<'_>,
) -> Result<u64, StoreError> {
    use Kind::{Boolean, Bytes, Integer, Text};
    let rows = statistics.iter().map(|(&webhook, batch)| {
        let (status_code, _, failure) = outcome_columns(batch.last.outcome);
        let series = batch.series.as_ref();
        [
            webhook.into_value(),
            ended_at(batch.last).into_value(),
            status_code.into_value(),
            failure.into_value(),
            batch.any_success.into_value(),
            series.map(|series| series.since).into_value(),
            series.map_or(0, |series| series.attempts).into_value(),
            series.map(|series| series.first_day).into_value(),
            series.map_or(0, |series| series.days).into_value(),
            batch.recent.into_value(),
            batch.recent_failures.into_value(),
        ]
    });
    let update = format!(
        "with batch (webhook_id, at, status_code, failure, any_success, since, failures, first_day, days, attempts, bits)
             as ({{rows}})
         update {{or_fail}} webhooks set last_attempt_at = batch.at, last_status_code = batch.status_code,
             last_failure = batch.failure,
             failing_since = case when batch.any_success then batch.since else coalesce(failing_since, batch.since) end,
             failed_attempts = batch.failures + case when batch.any_success then 0 else failed_attempts end,
             failed_days = batch.days + case when batch.any_success then 0
                 when failing_since is not null and last_attempt_at / {DAY_MILLIS} = batch.first_day then failed_days - 1
                 else failed_days end,
             last_notice = case when batch.any_success then 0 else last_notice end,
             recent_attempts = case when recent_attempts + batch.attempts > {RECENT_ATTEMPTS} then {RECENT_ATTEMPTS}
                 else recent_attempts + batch.attempts end,
             recent_failures = ((recent_failures << cast(batch.attempts as integer)) | batch.bits) & {RECENT_MASK}
         from batch where webhooks.id = batch.webhook_id"
    );
    let kinds = [
        Bytes, Integer, Integer, Text, Boolean, Integer, Integer, Integer, Integer, Integer, Integer,
    ];
    Rows::new(kinds, rows).execute(&update, connection).await
}

async fn save_hours(
    connection: &mut Connection,
    statistics: &StatisticsByWebhook<'_>,
) -> Result<u64, StoreError> {
    use Kind::{Bytes, Integer};
    let rows = statistics.iter().flat_map(|(&webhook, batch)| {
        let hours = batch.hours.iter();
        hours.map(move |(hour, (succeeded, failed))| {
            [
                webhook.into_value(),
                hour.into_value(),
                succeeded.into_value(),
                failed.into_value(),
            ]
        })
    });
    let insert = "insert {or_fail} into webhook_hours (webhook_id, hour, succeeded, failed) {rows}
         on conflict (webhook_id, hour) do update set
             succeeded = webhook_hours.succeeded + excluded.succeeded,
             failed = webhook_hours.failed + excluded.failed";
    Rows::new([Bytes, Integer, Integer, Integer], rows)
        .execute(insert, connection)
        .await
}

async fn save_latencies(
    connection: &mut Connection,
    statistics: &StatisticsByWebhook<'_>,
) -> Result<u64, StoreError> {
    use Kind::{Bytes, Integer};
    let rows = statistics.iter().flat_map(|(&webhook, batch)| {
        let latencies = batch.latencies.iter();
        latencies.map(move |((hour, bucket), responses)| {
            [
                webhook.into_value(),
                hour.into_value(),
                bucket.into_value(),
                responses.into_value(),
            ]
        })
    });
    let insert = "insert {or_fail} into webhook_latencies (webhook_id, hour, bucket, responses) {rows}
         on conflict (webhook_id, hour, bucket) do update set
             responses = webhook_latencies.responses + excluded.responses";
    Rows::new([Bytes, Integer, Integer, Integer], rows)
        .execute(insert, connection)
        .await
}

async fn disable_webhook(
    connection: &mut Connection,
    webhook: &WebhookId,
    reason: DisabledReason,
    at: Timestamp,
) -> Result<(), StoreError> {
    let account: Option<AccountId> = query(
        "update webhooks set state = 'disabled', disabled_reason = $2, version = version + 1, updated_at = $3,
             updated_by = 'system'
         where id = $1 and state <> 'disabled' and deleted_at is null returning account_id",
    )
    .bind(webhook)
    .bind(reason)
    .bind(at)
    .fetch_optional(connection)
    .await?;
    let Some(account) = account else {
        return Ok(());
    };
    record_history(connection, webhook, at).await?;
    let actor = Actor::system(account);
    let audit_event = AuditEvent::new(&actor, AuditAction::WebhookDisabled, webhook.as_str(), at);
    let details = json!({ "after": { "status": "disabled" }, "reason": reason.as_str() });
    audit::write(connection, &audit_event.with(details)).await?;
    settle(connection, webhook, at).await
}

/// Statistics of a batch of attempts to one webhook.
struct AttemptStatistics<'a> {
    last: &'a Attempt,
    /// The failures after the last success in this batch.
    series: Option<BatchSeries>,
    any_success: bool,
    /// Whether a delivery has failed after all attempts of its retry schedule.
    any_final: bool,
    /// Number of newest attempts, at most [`RECENT_ATTEMPTS`].
    recent: u32,
    /// One bit for each of them, the lowest for the newest, 1 for a failure.
    recent_failures: i64,
    /// Numbers of successful and failed attempts, by the hour in which they started.
    hours: BTreeMap<i64, (i64, i64)>,
    /// Number of responses, by the hour and the bucket of [`Latencies`].
    latencies: BTreeMap<(i64, i64), i64>,
}

/// Consecutive failures.
struct BatchSeries {
    /// End of the first one.
    since: Timestamp,
    attempts: u32,
    first_day: i64,
    last_day: i64,
    /// Number of days.
    days: u32,
}

from_row! {
    struct FailingRow {
        account_id: AccountId,
        failing_since: Timestamp,
        last_attempt_at: Timestamp,
        failed_attempts: u32,
        failed_days: u32,
        last_notice: u32,
    }
}

impl<'a> AttemptStatistics<'a> {
    /// Returns the statistics in the order of the webhook ids, in which all transactions lock webhooks.
    fn by_webhook(attempts: &'a [RecordedAttempt]) -> StatisticsByWebhook<'a> {
        let mut statistics = StatisticsByWebhook::new();
        for RecordedAttempt {
            webhook_id,
            attempt,
            next,
            ..
        } in attempts
        {
            // Aborted by this program, so it says nothing about the receiver.
            if attempt.outcome == Outcome::Failed(FailureReason::Cancelled) {
                continue;
            }
            let batch = statistics.entry(webhook_id).or_insert(Self {
                last: attempt,
                series: None,
                any_success: false,
                any_final: false,
                recent: 0,
                recent_failures: 0,
                hours: BTreeMap::new(),
                latencies: BTreeMap::new(),
            });
            batch.last = attempt;
            batch.any_final |= *next == Next::Failed;
            let hour = start_of_hour(attempt.started_at);
            if attempt.outcome.status_code().is_some() {
                let bucket = Latencies::bucket(attempt.duration);
                *batch.latencies.entry((hour, bucket)).or_default() += 1;
            }
            let is_success = attempt.outcome.succeeded();
            batch.recent = (batch.recent + 1).min(RECENT_ATTEMPTS);
            batch.recent_failures = ((batch.recent_failures << 1) | i64::from(!is_success)) & RECENT_MASK;
            let (succeeded, failed) = batch.hours.entry(hour).or_default();
            if is_success {
                *succeeded += 1;
                batch.any_success = true;
                batch.series = None;
            } else {
                *failed += 1;
                let at = ended_at(attempt);
                batch.series.get_or_insert_with(|| BatchSeries::new(at)).add(at);
            }
        }
        statistics
    }

    /// Returns the consequence for a webhook whose last attempt failed, and records a notice in the audit log. Must be
    /// called after [`save_last_attempts`].
    async fn escalate(
        &self,
        connection: &mut Connection,
        webhook: &WebhookId,
    ) -> Result<Option<Escalation>, StoreError> {
        let row: Option<FailingRow> = query(
            "select account_id, failing_since, last_attempt_at, failed_attempts, failed_days, last_notice from webhooks
             where id = $1 and state = 'active' and failing_since is not null and deleted_at is null",
        )
        .bind(webhook)
        .fetch_optional(connection)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let series = FailureSeries {
            since: row.failing_since,
            last: row.last_attempt_at,
            attempts: row.failed_attempts,
            days: row.failed_days,
        };
        let escalation = health::escalation(series, row.last_notice, self.any_final);
        if let Some(Escalation::Notice(percent)) = escalation {
            query("update webhooks set last_notice = $2 where id = $1")
                .bind(webhook)
                .bind(percent)
                .execute(connection)
                .await?;
            let actor = Actor::system(row.account_id);
            let action = match percent {
                ..50 => AuditAction::WebhookFailing10,
                50..90 => AuditAction::WebhookFailing50,
                90.. => AuditAction::WebhookFailing90,
            };
            let audit_event = AuditEvent::new(&actor, action, webhook.as_str(), series.last);
            let details = json!({ "failing_since": series.since.rfc3339() });
            audit::write(connection, &audit_event.with(details)).await?;
        }
        Ok(escalation)
    }
}

impl BatchSeries {
    fn new(since: Timestamp) -> Self {
        let day = day(since);
        Self {
            since,
            attempts: 0,
            first_day: day,
            last_day: day,
            days: 1,
        }
    }

    fn add(&mut self, at: Timestamp) {
        self.attempts += 1;
        if day(at) > self.last_day {
            self.last_day = day(at);
            self.days += 1;
        }
    }
}

fn day(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(DAY_MILLIS)
}

fn start_of_hour(at: Timestamp) -> i64 {
    const HOUR_MILLIS: i64 = 3_600_000;
    at.as_millis().div_euclid(HOUR_MILLIS) * HOUR_MILLIS
}

pub(super) fn ended_at(attempt: &Attempt) -> Timestamp {
    attempt.started_at.plus(attempt.duration)
}
