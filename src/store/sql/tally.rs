//! What the outcomes of attempts mean for their webhooks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sqlx::QueryBuilder;

use super::{Connection, Database, audit, webhooks::remember};
use crate::{
    domain::{
        Actor, Attempt, DisabledReason, FailureReason, Latencies, Outcome, Timestamp, WebhookId, failing,
    },
    store::{Deed, Next, RecordedAttempt, StoreError, rows::stored_id},
};

/// Tells the webhooks what became of their attempts; answers which are disabled by it.
pub(super) async fn settle(
    connection: &mut Connection,
    attempts: &[RecordedAttempt],
) -> Result<Vec<WebhookId>, StoreError> {
    let mut disabled = Vec::new();
    for (webhook, tally) in Tally::of(attempts) {
        if tally.save(connection, webhook).await? == Some(failing::Verdict::Disable) {
            let at = ended_at(tally.last);
            disable_webhook(connection, webhook, DisabledReason::Failing, at).await?;
            disabled.push(webhook.clone());
        }
    }
    for attempt in attempts {
        if let Next::DisableWebhook(reason) = attempt.next {
            let at = ended_at(&attempt.attempt);
            disable_webhook(connection, &attempt.webhook_id, reason, at).await?;
            disabled.push(attempt.webhook_id.clone());
        }
    }
    Ok(disabled)
}

/// What was disabled when they were put on record, nobody remembers: it may be any of these.
pub(super) fn webhooks_of(attempts: &[RecordedAttempt]) -> Vec<WebhookId> {
    let webhooks: BTreeSet<_> = attempts.iter().map(|attempt| &attempt.webhook_id).collect();
    webhooks.into_iter().cloned().collect()
}

async fn disable_webhook(
    connection: &mut Connection,
    webhook: &WebhookId,
    reason: DisabledReason,
    at: Timestamp,
) -> Result<(), StoreError> {
    let account: Option<String> = sqlx::query_scalar(
        "update webhooks set state = 'disabled', disabled_reason = $2, version = version + 1, updated_at = $3,
             updated_by = 'Caleida'
         where id = $1 and state <> 'disabled' and deleted_at is null returning account_id",
    )
    .bind(webhook.as_str())
    .bind(reason.as_str())
    .bind(at.as_millis())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(account) = account else {
        return Ok(());
    };
    remember(&mut *connection, webhook, at).await?;
    let actor = Actor::itself(stored_id(&account)?);
    let deed = Deed::new(&actor, "webhook.disabled", webhook.as_str(), at);
    let details = json!({ "after": { "status": "disabled" }, "reason": reason.as_str() });
    audit::write(connection, &deed.with(details)).await?;
    // What is being sent right now keeps its lease and its outcome; it is only not retried.
    sqlx::query(
        "update deliveries set status = 'cancelled', updated_at = $2
         where webhook_id = $1 and status in ('pending', 'held') and lease is null",
    )
    .bind(webhook.as_str())
    .bind(at.as_millis())
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
    fn of(attempts: &'a [RecordedAttempt]) -> BTreeMap<&'a WebhookId, Self> {
        let mut tallies: BTreeMap<&WebhookId, Self> = BTreeMap::new();
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

    /// Answers what follows for a webhook that fails.
    async fn save(
        &self,
        connection: &mut Connection,
        webhook: &WebhookId,
    ) -> Result<Option<failing::Verdict>, StoreError> {
        let verdict = match self.failing_since {
            Some(_) if !self.any_success => self.judge(connection, webhook).await?,
            _ => None,
        };
        sqlx::query(
            "update webhooks set last_attempt_at = $2, last_attempt_summary = $3, last_attempt_succeeded = $4,
                 failing_since = case when $4 then null when $5 then $6 else coalesce(failing_since, $6) end
             where id = $1",
        )
        .bind(webhook.as_str())
        .bind(ended_at(self.last).as_millis())
        .bind(self.last.outcome.to_string())
        .bind(self.last.outcome.succeeded())
        .bind(self.any_success)
        .bind(self.failing_since.map(Timestamp::as_millis))
        .execute(&mut *connection)
        .await?;
        for (hour, (succeeded, failed)) in &self.hours {
            sqlx::query(
                "insert into webhook_hours (webhook_id, hour, succeeded, failed) values ($1, $2, $3, $4)
                 on conflict (webhook_id, hour) do update set
                     succeeded = webhook_hours.succeeded + excluded.succeeded,
                     failed = webhook_hours.failed + excluded.failed",
            )
            .bind(webhook.as_str())
            .bind(hour)
            .bind(succeeded)
            .bind(failed)
            .execute(&mut *connection)
            .await?;
        }
        self.save_answers(connection, webhook).await?;
        Ok(verdict)
    }

    async fn save_answers(&self, connection: &mut Connection, webhook: &WebhookId) -> Result<(), StoreError> {
        if self.answers.is_empty() {
            return Ok(());
        }
        let mut insert = QueryBuilder::<Database>::new(
            "insert into webhook_latencies (webhook_id, hour, power, answers) ",
        );
        insert.push_values(&self.answers, |mut row, ((hour, power), answers)| {
            row.push_bind(webhook.as_str())
                .push_bind(*hour)
                .push_bind(*power)
                .push_bind(*answers);
        });
        insert.push(
            " on conflict (webhook_id, hour, power) do update set
                  answers = webhook_latencies.answers + excluded.answers",
        );
        insert.build().execute(connection).await?;
        Ok(())
    }

    /// To call before the webhook is told of this batch: what it says of the last attempt is the one before.
    async fn judge(
        &self,
        connection: &mut Connection,
        webhook: &WebhookId,
    ) -> Result<Option<failing::Verdict>, StoreError> {
        let row: Option<(String, i64, i64)> = sqlx::query_as(
            "select account_id, failing_since, last_attempt_at from webhooks
             where id = $1 and state = 'active' and failing_since is not null and deleted_at is null",
        )
        .bind(webhook.as_str())
        .fetch_optional(&mut *connection)
        .await?;
        let Some((account_id, since, before)) = row else {
            return Ok(None);
        };
        let now = ended_at(self.last);
        let verdict = failing::judge(Timestamp::from_millis(since), Timestamp::from_millis(before), now);
        if let Some(verdict) = verdict {
            tracing::warn!(%webhook, ?verdict, "no call has succeeded for long");
        }
        if let Some(failing::Verdict::Notice(per_cent)) = verdict {
            let actor = Actor::itself(stored_id(&account_id)?);
            let deed = Deed::new(
                &actor,
                format!("webhook.failing.{per_cent}"),
                webhook.as_str(),
                now,
            );
            let since = Timestamp::from_millis(since).rfc3339();
            audit::write(connection, &deed.with(json!({ "failing_since": since }))).await?;
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
