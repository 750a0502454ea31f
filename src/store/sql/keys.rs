use super::audit;
use crate::{
    domain::{AccountId, AuditAction, ProcessId, WebhookId},
    store::{
        ProcessRow, ResealedSecrets, Sealed, SealedWithOtherKey, SecretReplacement, Store, StoreError,
        database::query,
    },
};

from_row! {
    struct SealedRow {
        account_id: AccountId,
        id: WebhookId,
        secret: Vec<u8>,
        secret_key_id: String,
        previous_secret: Option<Vec<u8>>,
        previous_secret_key_id: Option<String>,
        headers: Option<Vec<u8>>,
        headers_key_id: Option<String>,
    }
}

impl Store {
    /// Returns webhooks of all accounts with a secret that was sealed with a different key, sorted by id, starting
    /// after `after`.
    pub async fn secrets_sealed_with_other_keys(
        &self,
        key_id: &str,
        after: Option<&WebhookId>,
        limit: u32,
    ) -> Result<Vec<SealedWithOtherKey>, StoreError> {
        let rows: Vec<SealedRow> = query(
            "select account_id, id, secret, secret_key_id, previous_secret, previous_secret_key_id, headers, headers_key_id
             from webhooks
             where id > $2 and secret_key_id is not null
                 and (secret_key_id <> $1 or previous_secret_key_id <> $1 or headers_key_id <> $1)
             order by id limit $3",
        )
        .bind(key_id)
        .bind(after.map_or(Vec::new(), |id| id.to_key().to_vec()))
        .bind(i64::from(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let sealed = rows.into_iter().map(|row| SealedWithOtherKey {
            account_id: row.account_id,
            webhook_id: row.id,
            current: Sealed {
                key_id: row.secret_key_id,
                ciphertext: row.secret,
            },
            previous: Sealed::from_columns(row.previous_secret, row.previous_secret_key_id),
            headers: Sealed::from_columns(row.headers, row.headers_key_id),
        });
        Ok(sealed.collect())
    }

    /// Replaces secrets that have not changed since they were read. Returns the number of webhooks.
    pub async fn reseal(&self, resealed: &[ResealedSecrets]) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let mut count = 0;
        for ResealedSecrets {
            change,
            current,
            previous,
            headers,
        } in resealed
        {
            let before = |replacement: &Option<SecretReplacement>| {
                replacement
                    .as_ref()
                    .map(|replacement| replacement.before.ciphertext.clone())
            };
            let (previous_after, headers_after) = (after(previous), after(headers));
            // Replaces all of them or none: a rotation in the meantime has moved the current secret to the previous
            // one.
            let replaced = query(
                "update webhooks set secret = $3, secret_key_id = $4, previous_secret = $6, previous_secret_key_id = $7,
                     headers = $9, headers_key_id = $10
                 where id = $1 and secret = $2 and previous_secret is not distinct from $5
                     and headers is not distinct from $8",
            )
            .bind(&change.webhook_id)
            .bind(&current.before.ciphertext)
            .bind(&current.after.ciphertext)
            .bind(&current.after.key_id)
            .bind(before(previous))
            .bind(previous_after.map(|sealed| sealed.ciphertext.as_slice()))
            .bind(previous_after.map(|sealed| sealed.key_id.as_str()))
            .bind(before(headers))
            .bind(headers_after.map(|sealed| sealed.ciphertext.as_slice()))
            .bind(headers_after.map(|sealed| sealed.key_id.as_str()))
            .execute(&mut tx)
            .await?;
            if replaced > 0 {
                audit::write(&mut tx, &change.audit_event(AuditAction::SecretResealed)).await?;
                count += 1;
            }
        }
        tx.commit().await?;
        self.points.reached("reseal: committed").await;
        Ok(count)
    }

    /// Returns the registered processes. They may include processes that died and are not evicted yet.
    pub async fn processes(&self) -> Result<Vec<ProcessRow>, StoreError> {
        let rows: Vec<(ProcessId, String, String, String)> =
            query("select id, role, master_key_id, opens from processes order by id")
                .fetch_all(&mut self.read().await?)
                .await?;
        let processes = rows
            .into_iter()
            .map(|(id, role, master_key_id, opens)| ProcessRow {
                id,
                role,
                decryption_key_ids: opens.split(',').map(str::to_owned).collect(),
                master_key_id,
            });
        Ok(processes.collect())
    }
}

fn after(replacement: &Option<SecretReplacement>) -> Option<&Sealed> {
    replacement.as_ref().map(|replacement| &replacement.after)
}
