use async_trait::async_trait;

use super::{Adapter, audit};
use crate::{
    domain::WebhookId,
    store::{KeyStore, ProcessRow, Replaced, Resealed, Sealed, SealedOtherwise, StoreError, rows::stored_id},
};

type SealedRow = (String, String, Vec<u8>, String, Option<Vec<u8>>, Option<String>);

#[async_trait]
impl KeyStore for Adapter {
    async fn sealed_otherwise(
        &self,
        key_id: &str,
        after: Option<&WebhookId>,
        limit: u32,
    ) -> Result<Vec<SealedOtherwise>, StoreError> {
        let rows: Vec<SealedRow> = sqlx::query_as(
            "select account_id, id, secret, secret_key_id, previous_secret, previous_secret_key_id from webhooks
             where id > $2 and secret_key_id is not null and (secret_key_id <> $1 or previous_secret_key_id <> $1)
             order by id limit $3",
        )
        .bind(key_id)
        .bind(after.map_or("", WebhookId::as_str))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|(account, id, current, key_id, previous, previous_key_id)| {
                let previous = previous.zip(previous_key_id);
                Ok(SealedOtherwise {
                    account_id: stored_id(&account)?,
                    webhook_id: stored_id(&id)?,
                    current: Sealed {
                        key_id,
                        ciphertext: current,
                    },
                    previous: previous.map(|(ciphertext, key_id)| Sealed { key_id, ciphertext }),
                })
            })
            .collect()
    }

    async fn reseal(&self, resealed: &[Resealed]) -> Result<u64, StoreError> {
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
            let replaced = sqlx::query(
                "update webhooks set secret = $3, secret_key_id = $4, previous_secret = $6, previous_secret_key_id = $7
                 where id = $1 and secret = $2 and previous_secret is not distinct from $5",
            )
            .bind(change.webhook_id.as_str())
            .bind(&current.before.ciphertext)
            .bind(&current.after.ciphertext)
            .bind(&current.after.key_id)
            .bind(before)
            .bind(after.map(|sealed| sealed.ciphertext.as_slice()))
            .bind(after.map(|sealed| sealed.key_id.as_str()))
            .execute(&mut *tx)
            .await?;
            if replaced.rows_affected() > 0 {
                audit::write(&mut tx, &change.deed("webhook.secret_resealed")).await?;
                count += 1;
            }
        }
        tx.commit().await?;
        Ok(count)
    }

    async fn processes(&self) -> Result<Vec<ProcessRow>, StoreError> {
        let rows: Vec<(String, String, String, String)> =
            sqlx::query_as("select id, role, master_key_id, opens from processes order by id")
                .fetch_all(&self.readers)
                .await?;
        rows.into_iter()
            .map(|(id, role, master_key_id, opens)| {
                // One of an earlier version has not said more than with which it seals.
                let opens = if opens.is_empty() { &master_key_id } else { &opens };
                Ok(ProcessRow {
                    id: stored_id(&id)?,
                    role,
                    opens: opens.split(',').map(str::to_owned).collect(),
                    master_key_id,
                })
            })
            .collect()
    }
}
