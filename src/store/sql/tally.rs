//! What the outcomes of attempts mean for their webhooks.

use std::collections::BTreeMap;

use serde_json::json;

use super::{audit, webhooks::remember};
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

/// Keeps the webhooks' statistics and health with the outcomes of their attempts. Returns which are disabled by it.
pub(super) async fn settle(
    connection: &mut Connection,
    attempts: &[RecordedAttempt],
) -> Result<Vec<WebhookId>, StoreError> {
    let tallies = Tally::of(attempts);
    let mut disabled = Vec::new();
    for (&webhook, tally) in &tallies {
        // Before the webhook has the last attempt of this batch: what it keeps is the one before.
        if tally.failing_since.is_some()
            && !tally.any_success
            && let Some(verdict) = tally.judge(connection, webhook).await?
        {
            tracing::warn!(%webhook, ?verdict, "webhook keeps failing");
            if verdict == failing::Verdict::Disable {
                disabled.push((webhook.clone(), DisabledReason::Failing, ended_at(tally.last)));
            }
        }
    }
    save_last_attempts(connection, &tallies).await?;
    save_hours(connection, &tallies).await?;
    save_latencies(connection, &tallies).await?;
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

type Tallies<'a> = BTreeMap<&'a WebhookId, Tally<'a>>;

async fn save_last_attempts(connection: &mut Connection, tallies: &Tallies<'_>) -> Result<u64, StoreError> {
    use Kind::{Boolean, Bytes, Integer, Text};
    let rows = tallies.iter().map(|(&webhook, tally)| {
        let (status_code, _, failure) = outcome_columns(tally.last.outcome);
        [
            webhook.into_value(),
            ended_at(tally.last).into_value(),
            status_code.into_value(),
            failure.into_value(),
            tally.last.outcome.succeeded().into_value(),
            tally.any_success.into_value(),
            tally.failing_since.into_value(),
        ]
    });
    let update =
        "with tally (webhook_id, at, status_code, failure, succeeded, any_success, since) as ({rows})
         update {or_fail} webhooks set last_attempt_at = tally.at, last_status_code = tally.status_code,
             last_failure = tally.failure,
             failing_since = case when tally.succeeded then null when tally.any_success then tally.since
                 else coalesce(failing_since, tally.since) end
         from tally where webhooks.id = tally.webhook_id";
    Rows::new([Bytes, Integer, Integer, Text, Boolean, Boolean, Integer], rows)
        .execute(update, connection)
        .await
}

async fn save_hours(connection: &mut Connection, tallies: &Tallies<'_>) -> Result<u64, StoreError> {
    use Kind::{Bytes, Integer};
    let rows = tallies.iter().flat_map(|(&webhook, tally)| {
        let hours = tally.hours.iter();
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

async fn save_latencies(connection: &mut Connection, tallies: &Tallies<'_>) -> Result<u64, StoreError> {
    use Kind::{Bytes, Integer};
    let rows = tallies.iter().flat_map(|(&webhook, tally)| {
        let answers = tally.answers.iter();
        answers.map(move |((hour, power), answers)| {
            [
                webhook.into_value(),
                hour.into_value(),
                power.into_value(),
                answers.into_value(),
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
    remember(connection, webhook, at).await?;
    let actor = Actor::itself(account);
    let audit_event = AuditEvent::new(&actor, AuditAction::WebhookDisabled, webhook.as_str(), at);
    let details = json!({ "after": { "status": "disabled" }, "reason": reason.as_str() });
    audit::write(connection, &audit_event.with(details)).await?;
    // What is being sent right now keeps its lease and its outcome; it is only not retried.
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

/// What a batch of attempts means for the webhook that they were for.
struct Tally<'a> {
    last: &'a Attempt,
    /// The first failure since the last success in this batch, or in it at all.
    failing_since: Option<Timestamp>,
    any_success: bool,
    /// Succeeded and failed, by the hour in which they started.
    hours: BTreeMap<i64, (i64, i64)>,
    /// How many answers took how long, by the hour and by the power of [`Latencies`].
    answers: BTreeMap<(i64, i64), i64>,
}

impl<'a> Tally<'a> {
    /// In the order of the webhooks, which is the order in which every transaction locks them.
    fn of(attempts: &'a [RecordedAttempt]) -> Tallies<'a> {
        let mut tallies = Tallies::new();
        for RecordedAttempt {
            webhook_id, attempt, ..
        } in attempts
        {
            // We cut it short ourselves: that says nothing about the receiver.
            if attempt.outcome == Outcome::Failed(FailureReason::Cancelled) {
                continue;
            }
            let tally = tallies.entry(webhook_id).or_insert(Self {
                last: attempt,
                failing_since: None,
                any_success: false,
                hours: BTreeMap::new(),
                answers: BTreeMap::new(),
            });
            tally.last = attempt;
            let hour = start_of_hour(attempt.started_at);
            if attempt.outcome.status_code().is_some() {
                let power = Latencies::power(attempt.duration);
                *tally.answers.entry((hour, power)).or_default() += 1;
            }
            let hour = tally.hours.entry(hour).or_default();
            if attempt.outcome.succeeded() {
                hour.0 += 1;
                tally.any_success = true;
                tally.failing_since = None;
            } else {
                hour.1 += 1;
                tally.failing_since = tally.failing_since.or(Some(ended_at(attempt)));
            }
        }
        tallies
    }

    /// To call before the webhook is told of this batch: what it says of the last attempt is the one before.
    async fn judge(
        &self,
        connection: &mut Connection,
        webhook: &WebhookId,
    ) -> Result<Option<failing::Verdict>, StoreError> {
        let row: Option<(AccountId, Timestamp, Timestamp)> = query(
            "select account_id, failing_since, last_attempt_at from webhooks
             where id = $1 and state = 'active' and failing_since is not null and deleted_at is null",
        )
        .bind(webhook)
        .fetch_optional(connection)
        .await?;
        let Some((account_id, since, before)) = row else {
            return Ok(None);
        };
        let now = ended_at(self.last);
        let verdict = failing::judge(since, before, now);
        if let Some(failing::Verdict::Notice(per_cent)) = verdict {
            let actor = Actor::itself(account_id);
            let action = match per_cent {
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
        Ok(verdict)
    }
}

fn start_of_hour(at: Timestamp) -> i64 {
    const HOUR: i64 = 3_600_000;
    at.as_millis().div_euclid(HOUR) * HOUR
}

pub(super) fn ended_at(attempt: &Attempt) -> Timestamp {
    attempt.started_at.plus(attempt.duration)
}
