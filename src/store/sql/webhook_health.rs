//! Statistics and health of webhooks, updated with the outcomes of attempts.

use std::collections::BTreeMap;

use serde_json::json;

use super::{audit, webhooks::record_history};
use crate::{
    domain::{
        AccountId, Actor, Attempt, AuditAction, DisabledReason, FailureReason, Latencies, Outcome, Timestamp,
        WebhookId, failing,
    },
    store::{
        AuditEvent, Next, RecordedAttempt, StoreError,
        database::{Bind as _, Connection, Kind, Rows, query},
        rows::outcome_columns,
    },
};

/// Updates the statistics and health of webhooks. Returns the webhooks that were disabled.
pub(super) async fn record_outcomes(
    connection: &mut Connection,
    attempts: &[RecordedAttempt],
) -> Result<Vec<WebhookId>, StoreError> {
    let statistics = AttemptStatistics::by_webhook(attempts);
    let mut disabled = Vec::new();
    for (&webhook, batch) in &statistics {
        if batch.failing_since.is_some()
            && !batch.any_success
            && let Some(escalation) = batch.escalate(connection, webhook).await?
        {
            tracing::warn!(%webhook, verdict = ?escalation, "webhook keeps failing");
            if escalation == failing::Escalation::Disable {
                disabled.push((webhook.clone(), DisabledReason::Failing, ended_at(batch.last)));
            }
        }
    }
    save_last_attempts(connection, &statistics).await?;
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
        [
            webhook.into_value(),
            ended_at(batch.last).into_value(),
            status_code.into_value(),
            failure.into_value(),
            batch.last.outcome.succeeded().into_value(),
            batch.any_success.into_value(),
            batch.failing_since.into_value(),
        ]
    });
    let update =
        "with batch (webhook_id, at, status_code, failure, succeeded, any_success, since) as ({rows})
         update {or_fail} webhooks set last_attempt_at = batch.at, last_status_code = batch.status_code,
             last_failure = batch.failure,
             failing_since = case when batch.succeeded then null when batch.any_success then batch.since
                 else coalesce(failing_since, batch.since) end
         from batch where webhooks.id = batch.webhook_id";
    Rows::new([Bytes, Integer, Integer, Text, Boolean, Boolean, Integer], rows)
        .execute(update, connection)
        .await
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
    // Deliveries in progress keep their lease, so that their outcome is recorded. They are not retried.
    query(
        "update deliveries set status = 'cancelled', updated_at = $2
         where webhook_id = $1 and status in ('new', 'pending', 'held') and lease is null",
    )
    .bind(webhook)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Statistics of a batch of attempts to one webhook.
struct AttemptStatistics<'a> {
    last: &'a Attempt,
    /// End of the first failed attempt after the last success, within this batch.
    failing_since: Option<Timestamp>,
    any_success: bool,
    /// Numbers of successful and failed attempts, by the hour in which they started.
    hours: BTreeMap<i64, (i64, i64)>,
    /// Number of responses, by the hour and the bucket of [`Latencies`].
    latencies: BTreeMap<(i64, i64), i64>,
}

impl<'a> AttemptStatistics<'a> {
    /// Returns the statistics in the order of the webhook ids, in which all transactions lock webhooks.
    fn by_webhook(attempts: &'a [RecordedAttempt]) -> StatisticsByWebhook<'a> {
        let mut statistics = StatisticsByWebhook::new();
        for RecordedAttempt {
            webhook_id, attempt, ..
        } in attempts
        {
            // Aborted by this program, so it says nothing about the receiver.
            if attempt.outcome == Outcome::Failed(FailureReason::Cancelled) {
                continue;
            }
            let batch = statistics.entry(webhook_id).or_insert(Self {
                last: attempt,
                failing_since: None,
                any_success: false,
                hours: BTreeMap::new(),
                latencies: BTreeMap::new(),
            });
            batch.last = attempt;
            let hour = start_of_hour(attempt.started_at);
            if attempt.outcome.status_code().is_some() {
                let bucket = Latencies::bucket(attempt.duration);
                *batch.latencies.entry((hour, bucket)).or_default() += 1;
            }
            let (succeeded, failed) = batch.hours.entry(hour).or_default();
            if attempt.outcome.succeeded() {
                *succeeded += 1;
                batch.any_success = true;
                batch.failing_since = None;
            } else {
                *failed += 1;
                batch.failing_since = batch.failing_since.or(Some(ended_at(attempt)));
            }
        }
        statistics
    }

    /// Returns the consequence for a webhook that was failing before this batch, and records a notice in the audit log.
    /// Must be called before [`save_last_attempts`], because it needs the time of the last attempt before this batch.
    async fn escalate(
        &self,
        connection: &mut Connection,
        webhook: &WebhookId,
    ) -> Result<Option<failing::Escalation>, StoreError> {
        let row: Option<(AccountId, Timestamp, Timestamp)> = query(
            "select account_id, failing_since, last_attempt_at from webhooks
             where id = $1 and state = 'active' and failing_since is not null and deleted_at is null",
        )
        .bind(webhook)
        .fetch_optional(connection)
        .await?;
        let Some((account_id, since, previous)) = row else {
            return Ok(None);
        };
        let now = ended_at(self.last);
        let escalation = failing::escalation(since, previous, now);
        if let Some(failing::Escalation::Notice(percent)) = escalation {
            let actor = Actor::system(account_id);
            let action = match percent {
                ..70 => AuditAction::WebhookFailing50,
                70..90 => AuditAction::WebhookFailing70,
                90.. => AuditAction::WebhookFailing90,
            };
            let audit_event = AuditEvent::new(&actor, action, webhook.as_str(), now);
            audit::write(
                connection,
                &audit_event.with(json!({ "failing_since": since.rfc3339() })),
            )
            .await?;
        }
        Ok(escalation)
    }
}

fn start_of_hour(at: Timestamp) -> i64 {
    const HOUR_MILLIS: i64 = 3_600_000;
    at.as_millis().div_euclid(HOUR_MILLIS) * HOUR_MILLIS
}

pub(super) fn ended_at(attempt: &Attempt) -> Timestamp {
    attempt.started_at.plus(attempt.duration)
}
