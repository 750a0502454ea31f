use serde_json::{Value, json};

use super::{
    audit,
    cluster::enqueue_invalidations,
    locks::{lock_account, lock_webhook},
    paces::create_pace,
    settling::settle,
    webhooks::{count, find},
};
use crate::{
    domain::{AuditAction, Timestamp, Webhook, WebhookId, WebhookStatus},
    store::{
        Change, DeleteOutcome, DeletedWebhook, HeldAction, InvalidationReason, NewWebhook, Sealed, Store,
        StoreError, Unique, UpdateOutcome, UpdateWebhook,
        audit::{diff, settings_json},
        database::{Connection, query},
        rows::setting_columns,
    },
};

/// Every change is recorded in the audit log in the same transaction.
impl Store {
    /// Fails with [`StoreError::Conflict`] if the name is taken, and with [`StoreError::LimitReached`] if the account
    /// has the maximum number of webhooks.
    pub async fn insert_webhook(
        &self,
        NewWebhook {
            change,
            settings,
            secret,
            headers,
            max_webhooks,
        }: NewWebhook,
    ) -> Result<Webhook, StoreError> {
        let mut tx = self.begin().await?;
        lock_account(&mut tx, &change.account_id).await?;
        if count(&mut tx, &change.account_id).await? >= u64::from(max_webhooks) {
            return Err(StoreError::LimitReached);
        }
        let settings = setting_columns(&settings);
        let columns = settings.each_ref().map(|(column, _)| *column);
        let mut insert = query(format!(
            "insert into webhooks (id, account_id, state, secret, secret_key_id, headers, headers_key_id, version,
                 created_at, updated_at, updated_by, {})
             values ($1, $2, 'active', $3, $4, $5, $6, 1, $7, $7, $8",
            columns.join(", ")
        ))
        .bind(&change.webhook_id)
        .bind(&change.account_id)
        .bind(&secret.ciphertext)
        .bind(&secret.key_id)
        .bind(headers.as_ref().map(|sealed| sealed.ciphertext.as_slice()))
        .bind(headers.as_ref().map(|sealed| sealed.key_id.as_str()))
        .bind(change.at)
        .bind(&change.by);
        for (_, value) in settings {
            insert.push(", ").push_value(value);
        }
        insert.push(")");
        insert.execute(&mut tx).await?;
        create_pace(&mut tx, &change.webhook_id).await?;
        record_history(&mut tx, &change.webhook_id, change.at).await?;
        let webhook = find(&mut tx, &change.account_id, &change.webhook_id).await?;
        let webhook = webhook.ok_or(StoreError::Corrupt("webhook"))?;
        let details = json!({ "after": settings_json(&webhook) });
        audit::write(
            &mut tx,
            &change.audit_event(AuditAction::WebhookCreated).with(details),
        )
        .await?;
        tx.commit().await?;
        Ok(webhook)
    }

    pub async fn update_webhook(&self, update: UpdateWebhook) -> Result<UpdateOutcome, StoreError> {
        let UpdateWebhook {
            change,
            settings,
            secret,
            headers,
            expected_version,
        } = update;
        let mut tx = self.begin().await?;
        lock_webhook(&mut tx, &change.account_id, &change.webhook_id).await?;
        let Some(current) = find(&mut tx, &change.account_id, &change.webhook_id).await? else {
            return Ok(UpdateOutcome::NotFound);
        };
        if expected_version.is_some_and(|version| version != current.version) {
            return Ok(UpdateOutcome::VersionConflict(Box::new(current)));
        }
        let new_headers = headers.as_ref().and_then(|headers| headers.sealed.as_ref());
        let mut save = query(
            "update webhooks set version = version + 1, updated_at = $2, updated_by = $3,
                 secret = coalesce($4, secret), secret_key_id = coalesce($5, secret_key_id),
                 headers = case when $6 then $7 else headers end,
                 headers_key_id = case when $6 then $8 else headers_key_id end",
        )
        .bind(&change.webhook_id)
        .bind(change.at)
        .bind(&change.by)
        .bind(secret.as_ref().map(|secret| secret.ciphertext.as_slice()))
        .bind(secret.as_ref().map(|secret| secret.key_id.as_str()))
        .bind(headers.is_some())
        .bind(new_headers.map(|sealed| sealed.ciphertext.as_slice()))
        .bind(new_headers.map(|sealed| sealed.key_id.as_str()));
        for (column, value) in setting_columns(&settings) {
            save.push(", ").push(column).push(" = ").push_value(value);
        }
        save.push(" where id = $1");
        match save.execute(&mut tx).await {
            Err(StoreError::Conflict(Unique::WebhookName)) => return Ok(UpdateOutcome::NameTaken),
            other => other?,
        };
        let action = if secret.is_some() {
            AuditAction::WebhookUpdatedWithSecret
        } else {
            AuditAction::WebhookUpdated
        };
        create_pace(&mut tx, &change.webhook_id).await?;
        record_history(&mut tx, &change.webhook_id, change.at).await?;
        enqueue_invalidations(&mut tx, self, &change.cache_key(InvalidationReason::Edited)).await?;
        let webhook = find(&mut tx, &change.account_id, &change.webhook_id).await?;
        let webhook = webhook.ok_or(StoreError::Corrupt("webhook"))?;
        let mut details = diff(settings_json(&current), settings_json(&webhook));
        if let Some(headers) = headers.filter(|headers| !headers.replaced.is_empty()) {
            details["replaced_headers"] = json!(headers.replaced);
        }
        audit::write(&mut tx, &change.audit_event(action).with(details)).await?;
        tx.commit().await?;
        Ok(UpdateOutcome::Saved(Box::new(webhook)))
    }

    /// Pauses a webhook, which holds its open deliveries. A delivery in progress is held only if its attempt fails.
    /// Returns `None` if the webhook does not exist.
    pub async fn pause_webhook(&self, change: &Change) -> Result<Option<Webhook>, StoreError> {
        let paused = NewState {
            state: "paused",
            drops_held: false,
            action: AuditAction::WebhookPaused,
            reason: InvalidationReason::Edited,
            details: json!({}),
        };
        self.change_state(change, paused).await
    }

    /// Activates a paused or disabled webhook, which makes its held deliveries due or cancels them. Deliveries that a
    /// pause just before has not held yet are sent in both cases. Returns `None` if the webhook does not exist.
    pub async fn resume_webhook(
        &self,
        change: &Change,
        held: HeldAction,
    ) -> Result<Option<Webhook>, StoreError> {
        let resumed = NewState {
            state: "active",
            drops_held: held == HeldAction::Drop,
            action: AuditAction::WebhookResumed,
            reason: InvalidationReason::Resumed,
            details: json!({ "held": held }),
        };
        self.change_state(change, resumed).await
    }

    async fn change_state(&self, change: &Change, new: NewState) -> Result<Option<Webhook>, StoreError> {
        let mut tx = self.begin().await?;
        lock_webhook(&mut tx, &change.account_id, &change.webhook_id).await?;
        let Some(before) = set_state(&mut tx, change, &new).await? else {
            return Ok(None);
        };
        settle(&mut tx, &change.webhook_id, change.at).await?;
        record_history(&mut tx, &change.webhook_id, change.at).await?;
        let mut details = new.details;
        details["before"] = json!({ "status": before });
        details["after"] = json!({ "status": new.state });
        audit::write(&mut tx, &change.audit_event(new.action).with(details)).await?;
        enqueue_invalidations(&mut tx, self, &change.cache_key(new.reason)).await?;
        let webhook = find(&mut tx, &change.account_id, &change.webhook_id).await?;
        tx.commit().await?;
        Ok(webhook)
    }

    /// Makes `secret` the current secret. The previous secret also signs until `previous_until`. Returns `None` if the
    /// webhook does not exist.
    pub async fn rotate_secret(
        &self,
        change: &Change,
        secret: Sealed,
        previous_until: Timestamp,
    ) -> Result<Option<Webhook>, StoreError> {
        let mut tx = self.begin().await?;
        query(
            "update webhooks set previous_secret = secret, previous_secret_key_id = secret_key_id,
                 previous_secret_until = $3, secret = $4, secret_key_id = $5, version = version + 1,
                 updated_at = $6, updated_by = $7
             where id = $1 and account_id = $2 and deleted_at is null",
        )
        .bind(&change.webhook_id)
        .bind(&change.account_id)
        .bind(previous_until)
        .bind(&secret.ciphertext)
        .bind(&secret.key_id)
        .bind(change.at)
        .bind(&change.by)
        .execute(&mut tx)
        .await?;
        let webhook = find(&mut tx, &change.account_id, &change.webhook_id).await?;
        if webhook.is_some() {
            let details = json!({ "previous_signs_until": previous_until.rfc3339() });
            audit::write(
                &mut tx,
                &change.audit_event(AuditAction::SecretRotated).with(details),
            )
            .await?;
            enqueue_invalidations(&mut tx, self, &change.cache_key(InvalidationReason::Edited)).await?;
        }
        tx.commit().await?;
        Ok(webhook)
    }

    /// Deletes a webhook: erases its secrets, frees its name and cancels its open deliveries.
    pub async fn delete_webhook(
        &self,
        change: &Change,
        expected_version: Option<i64>,
    ) -> Result<DeleteOutcome, StoreError> {
        let mut tx = self.begin().await?;
        lock_webhook(&mut tx, &change.account_id, &change.webhook_id).await?;
        let Some(webhook) = find(&mut tx, &change.account_id, &change.webhook_id).await? else {
            return Ok(DeleteOutcome::NotFound);
        };
        if expected_version.is_some_and(|version| version != webhook.version) {
            return Ok(DeleteOutcome::VersionConflict(Box::new(webhook)));
        }
        query(
            "update webhooks set deleted_at = $3, updated_at = $3, updated_by = $4, secret = null,
                 secret_key_id = null, previous_secret = null, previous_secret_key_id = null,
                 previous_secret_until = null, headers = null, headers_key_id = null
             where id = $1 and account_id = $2 and deleted_at is null",
        )
        .bind(&change.webhook_id)
        .bind(&change.account_id)
        .bind(change.at)
        .bind(&change.by)
        .execute(&mut tx)
        .await?;
        let cancelled: u64 = query(
            "select count(*) from deliveries where webhook_id = $1 and status in ('new', 'pending', 'held')",
        )
        .bind(&change.webhook_id)
        .fetch_one(&mut tx)
        .await?;
        settle(&mut tx, &change.webhook_id, change.at).await?;
        record_history(&mut tx, &change.webhook_id, change.at).await?;
        let details = json!({ "before": settings_json(&webhook), "cancelled_deliveries": cancelled });
        audit::write(
            &mut tx,
            &change.audit_event(AuditAction::WebhookDeleted).with(details),
        )
        .await?;
        enqueue_invalidations(&mut tx, self, &change.cache_key(InvalidationReason::Deleted)).await?;
        tx.commit().await?;
        self.points.reached("delete_webhook: committed").await;
        Ok(DeleteOutcome::Deleted(DeletedWebhook {
            name: webhook.settings.name.to_string(),
            cancelled,
        }))
    }
}

/// A state that a user gives to a webhook.
struct NewState {
    state: &'static str,
    /// Whether the held deliveries are cancelled instead of made due.
    drops_held: bool,
    action: AuditAction,
    reason: InvalidationReason,
    /// Further details for the audit log.
    details: Value,
}

/// Returns the previous status. Increments the version, so that a form that was opened before cannot restore the old
/// state.
async fn set_state(
    connection: &mut Connection,
    change: &Change,
    new: &NewState,
) -> Result<Option<WebhookStatus>, StoreError> {
    let before = find(connection, &change.account_id, &change.webhook_id).await?;
    query(
        "update webhooks set state = $3, drops_held = $6, disabled_reason = null,
             failing_since = case when $3 = 'active' then null else failing_since end,
             failed_attempts = case when $3 = 'active' then 0 else failed_attempts end,
             failed_days = case when $3 = 'active' then 0 else failed_days end,
             last_notice = case when $3 = 'active' then 0 else last_notice end,
             recent_attempts = case when $3 = 'active' then 0 else recent_attempts end,
             recent_failures = case when $3 = 'active' then 0 else recent_failures end,
             version = version + 1, updated_at = $4, updated_by = $5
         where id = $1 and account_id = $2 and deleted_at is null",
    )
    .bind(&change.webhook_id)
    .bind(&change.account_id)
    .bind(new.state)
    .bind(change.at)
    .bind(&change.by)
    .bind(new.drops_held)
    .execute(connection)
    .await?;
    Ok(before.map(|webhook| webhook.status))
}

/// Records the state, event types and filter of a webhook from now on.
pub(super) async fn record_history(
    connection: &mut Connection,
    webhook: &WebhookId,
    at: Timestamp,
) -> Result<(), StoreError> {
    query(
        "insert into webhook_history (webhook_id, since, state, events, filter)
         select id, $2, case when deleted_at is null then state else 'deleted' end, events, filter
         from webhooks where id = $1
         on conflict (webhook_id, since) do update
             set state = excluded.state, events = excluded.events, filter = excluded.filter",
    )
    .bind(webhook)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}
