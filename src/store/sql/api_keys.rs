use serde_json::json;

use super::{audit, cluster::enqueue_invalidations, locks::lock_account};
use crate::{
    domain::{AccountId, Actor, ApiKeyId, AuditAction, Timestamp},
    store::{
        AccountStore, ApiKey, ApiKeyRow, AuditEvent, CacheKey, NewApiKey, Store, StoreError, Unique,
        database::{Connection, FromRow, Row, query},
    },
};

/// Columns of [`ApiKeyRow`].
const KEY_COLUMNS: &str =
    "id, account_id, name, prefix, scopes, expires_at, created_at, created_by, last_used_at, revoked_at";

impl FromRow for ApiKeyRow {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        let scopes: String = row.get("scopes")?;
        Ok(Self {
            key: ApiKey {
                id: row.get("id")?,
                account_id: row.get("account_id")?,
                name: row.get("name")?,
                prefix: row.get("prefix")?,
                scopes: scopes.split(',').map(str::to_owned).collect(),
                expires_at: row.get("expires_at")?,
            },
            created_at: row.get("created_at")?,
            created_by: row.get("created_by")?,
            last_used_at: row.get("last_used_at")?,
            revoked_at: row.get("revoked_at")?,
        })
    }
}

/// Only the hash of a key is stored, not the key.
impl Store {
    /// Fails with [`StoreError::Conflict`] if an active key of the account has the same name.
    pub async fn insert_api_key(
        &self,
        NewApiKey { key, hash, by, at }: &NewApiKey,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        // Serialized per account. A unique index cannot check names, because a name becomes free when its key expires.
        lock_account(&mut tx, &key.account_id).await?;
        let taken: i64 = query(
            "select count(*) from api_keys
             where account_id = $1 and name = $2 and revoked_at is null and (expires_at is null or expires_at > $3)",
        )
        .bind(&key.account_id)
        .bind(&key.name)
        .bind(*at)
        .fetch_one(&mut tx)
        .await?;
        if taken > 0 {
            return Err(StoreError::Conflict(Unique::ApiKeyName));
        }
        query(
            "insert into api_keys (id, account_id, name, prefix, hash, scopes, expires_at, created_at, created_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&key.id)
        .bind(&key.account_id)
        .bind(&key.name)
        .bind(&key.prefix)
        .bind(hash)
        .bind(key.scopes.join(","))
        .bind(key.expires_at)
        .bind(*at)
        .bind(&by.principal)
        .execute(&mut tx)
        .await?;
        let audit_event = AuditEvent::new(by, AuditAction::ApiKeyCreated, key.id.as_str(), *at);
        audit::write(&mut tx, &audit_event.with(json!({ "after": audit_details(key) }))).await?;
        tx.commit().await
    }

    /// Returns the key with this SHA-256 unless it was revoked. The key may have expired.
    pub async fn api_key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        let sql = format!("select {KEY_COLUMNS} from api_keys where hash = $1 and revoked_at is null");
        let row: Option<ApiKeyRow> = query(sql)
            .bind(hash)
            .fetch_optional(&mut self.read().await?)
            .await?;
        Ok(row.map(|row| row.key))
    }

    /// Revokes a key, and enqueues an invalidation for every other process. Returns `None` if the key does not exist or
    /// is already revoked.
    pub async fn revoke_api_key(
        &self,
        actor: &Actor,
        id: &ApiKeyId,
        at: Timestamp,
    ) -> Result<Option<ApiKeyRow>, StoreError> {
        let mut tx = self.begin().await?;
        let revoked = query(
            "update api_keys set revoked_at = $3 where id = $1 and account_id = $2 and revoked_at is null",
        )
        .bind(id)
        .bind(&actor.account_id)
        .bind(at)
        .execute(&mut tx)
        .await?;
        if revoked == 0 {
            return Ok(None);
        }
        let row = find(&mut tx, &actor.account_id, id).await?;
        let row = row.ok_or(StoreError::Corrupt("API key"))?;
        let audit_event = AuditEvent::new(actor, AuditAction::ApiKeyRevoked, id.as_str(), at);
        audit::write(
            &mut tx,
            &audit_event.with(json!({ "before": audit_details(&row.key) })),
        )
        .await?;
        enqueue_invalidations(&mut tx, self, &CacheKey::ApiKey(id.clone())).await?;
        tx.commit().await?;
        Ok(Some(row))
    }

    /// Records the last use of keys, unless a later use is already recorded.
    pub async fn record_api_key_uses(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for (id, at) in uses {
            query(
                "update api_keys set last_used_at = $2
                 where id = $1 and (last_used_at is null or last_used_at < $2)",
            )
            .bind(id)
            .bind(*at)
            .execute(&mut tx)
            .await?;
        }
        tx.commit().await
    }
}

impl AccountStore<'_> {
    /// Returns at most five hundred keys, newest first. Revoked keys follow all others.
    pub async fn api_keys(&self) -> Result<Vec<ApiKeyRow>, StoreError> {
        let sql = format!(
            "select {KEY_COLUMNS} from api_keys where account_id = $1
             order by case when revoked_at is null then 0 else 1 end, id desc limit 500"
        );
        query(sql)
            .bind(self.account)
            .fetch_all(&mut self.store.read().await?)
            .await
    }

    pub async fn api_key(&self, id: &ApiKeyId) -> Result<Option<ApiKeyRow>, StoreError> {
        let mut reader = self.store.read().await?;
        find(&mut reader, self.account, id).await
    }
}

async fn find(
    connection: &mut Connection,
    account: &AccountId,
    id: &ApiKeyId,
) -> Result<Option<ApiKeyRow>, StoreError> {
    let sql = format!("select {KEY_COLUMNS} from api_keys where id = $1 and account_id = $2");
    query(sql).bind(id).bind(account).fetch_optional(connection).await
}

/// Returns the details of a key for the audit log.
fn audit_details(key: &ApiKey) -> serde_json::Value {
    json!({
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "expires_at": key.expires_at.map(Timestamp::rfc3339),
    })
}
