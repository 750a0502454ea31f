use super::audit;
use crate::{
    domain::{AccountId, AuditAction, ProcessId, WebhookId},
    store::{ProcessRow, Replaced, Resealed, Sealed, SealedOtherwise, Store, StoreError, database::query},
};

type SealedRow = (
    AccountId,
    WebhookId,
    Vec<u8>,
    String,
    Option<Vec<u8>>,
    Option<String>,
);

impl Store {
    /// Webhooks of all accounts with a secret that another key than this one has sealed, by id, after that one.
    pub async fn sealed_otherwise(
        &self,
        key_id: &str,
        after: Option<&WebhookId>,
        limit: u32,
    ) -> Result<Vec<SealedOtherwise>, StoreError> {
        let rows: Vec<SealedRow> = query(
            "select account_id, id, secret, secret_key_id, previous_secret, previous_secret_key_id from webhooks
             where id > $2 and secret_key_id is not null and (secret_key_id <> $1 or previous_secret_key_id <> $1)
             order by id limit $3",
        )
        .bind(key_id)
        .bind(after.map_or(Vec::new(), |id| id.to_key().to_vec()))
        .bind(i64::from(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let sealed = rows.into_iter().map(
            |(account_id, webhook_id, ciphertext, key_id, previous, previous_key_id)| {
                let previous = previous.zip(previous_key_id);
                SealedOtherwise {
                    account_id,
                    webhook_id,
                    current: Sealed { key_id, ciphertext },
                    previous: previous.map(|(ciphertext, key_id)| Sealed { key_id, ciphertext }),
                }
            },
        );
        Ok(sealed.collect())
    }

    /// Replaces what is still as it was read, in one transaction with the audit log. Answers how many webhooks that were:
    /// a secret that was changed meanwhile stays as it is.
    pub async fn reseal(&self, resealed: &[Resealed]) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let mut count = 0;
        for Resealed {
            change,
            current,
            previous,
        } in resealed
        {
            let previous = previous.as_ref();
            let before = previous.map(|Replaced { before, .. }| before.ciphertext.as_slice());
            let after = previous.map(|Replaced { after, .. }| after);
            // Both or none: a rotation that came between has moved them.
            let replaced = query(
                "update webhooks set secret = $3, secret_key_id = $4, previous_secret = $6, previous_secret_key_id = $7
                 where id = $1 and secret = $2 and previous_secret is not distinct from $5",
            )
            .bind(&change.webhook_id)
            .bind(&current.before.ciphertext)
            .bind(&current.after.ciphertext)
            .bind(&current.after.key_id)
            .bind(before)
            .bind(after.map(|sealed| sealed.ciphertext.as_slice()))
            .bind(after.map(|sealed| sealed.key_id.as_str()))
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

    /// The processes that use this database, or have died without a word since the last start of one.
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
                opens: opens.split(',').map(str::to_owned).collect(),
                master_key_id,
            });
        Ok(processes.collect())
    }
}
