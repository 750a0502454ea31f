use async_trait::async_trait;
use serde_json::json;
use sqlx::AssertSqlSafe;

use super::{Adapter, Connection, audit, tell_others_of_key};
use crate::{
    domain::{AccountId, Actor, ApiKeyId, Timestamp},
    store::{
        ApiKey, ApiKeyRow, ApiKeyStore, Deed, NewApiKey, StoreError,
        rows::{stored_id, timestamp},
    },
};

/// The columns of [`KeyRow`].
const KEY: &str =
    "id, account_id, name, prefix, scopes, expires_at, created_at, created_by, last_used_at, revoked_at";

from_row! {
    struct KeyRow {
        id: String,
        account_id: String,
        name: String,
        prefix: String,
        scopes: String,
        expires_at: Option<i64>,
        created_at: i64,
        created_by: Option<String>,
        last_used_at: Option<i64>,
        revoked_at: Option<i64>,
    }
}

impl TryFrom<KeyRow> for ApiKeyRow {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> Result<Self, StoreError> {
        Ok(Self {
            key: ApiKey {
                id: stored_id(&row.id)?,
                account_id: stored_id(&row.account_id)?,
                name: row.name,
                prefix: row.prefix,
                scopes: row.scopes.split(',').map(str::to_owned).collect(),
                expires_at: timestamp(row.expires_at),
            },
            created_at: Timestamp::from_millis(row.created_at),
            created_by: row.created_by,
            last_used_at: timestamp(row.last_used_at),
            revoked_at: timestamp(row.revoked_at),
        })
    }
}

#[async_trait]
impl ApiKeyStore for Adapter {
    async fn insert_api_key(&self, NewApiKey { key, hash, by, at }: &NewApiKey) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        // Those that make keys for one account do it one after the other: a name is free as soon as its key is revoked
        // or has expired, which no index can tell.
        sqlx::query("update accounts set name = name where id = $1")
            .bind(key.account_id.as_str())
            .execute(&mut *tx)
            .await?;
        let taken: i64 = sqlx::query_scalar(
            "select count(*) from api_keys
             where account_id = $1 and name = $2 and revoked_at is null and (expires_at is null or expires_at > $3)",
        )
        .bind(key.account_id.as_str())
        .bind(&key.name)
        .bind(at.as_millis())
        .fetch_one(&mut *tx)
        .await?;
        if taken > 0 {
            return Err(StoreError::Conflict);
        }
        sqlx::query(
            "insert into api_keys (id, account_id, name, prefix, hash, scopes, expires_at, created_at, created_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(key.id.as_str())
        .bind(key.account_id.as_str())
        .bind(&key.name)
        .bind(&key.prefix)
        .bind(hash.as_slice())
        .bind(key.scopes.join(","))
        .bind(key.expires_at.map(Timestamp::as_millis))
        .bind(at.as_millis())
        .bind(&by.name)
        .execute(&mut *tx)
        .await?;
        let deed = Deed::new(by, "api_key.created", key.id.as_str(), *at);
        audit::write(&mut tx, &deed.with(json!({ "after": shown(key) }))).await?;
        Ok(tx.commit().await?)
    }

    async fn api_key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        let sql = format!("select {KEY} from api_keys where hash = $1 and revoked_at is null");
        let row: Option<KeyRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(hash.as_slice())
            .fetch_optional(&self.readers)
            .await?;
        let row = row.map(ApiKeyRow::try_from).transpose()?;
        Ok(row.map(|row| row.key))
    }

    async fn api_keys(&self, account: &AccountId) -> Result<Vec<ApiKeyRow>, StoreError> {
        let sql = format!(
            "select {KEY} from api_keys where account_id = $1
             order by case when revoked_at is null then 0 else 1 end, id desc limit 500"
        );
        let rows: Vec<KeyRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(account.as_str())
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(ApiKeyRow::try_from).collect()
    }

    async fn api_key(&self, account: &AccountId, id: &ApiKeyId) -> Result<Option<ApiKeyRow>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        find(&mut reader, account, id).await
    }

    async fn revoke_api_key(
        &self,
        actor: &Actor,
        id: &ApiKeyId,
        at: Timestamp,
    ) -> Result<Option<ApiKeyRow>, StoreError> {
        let mut tx = self.begin().await?;
        let revoked = sqlx::query(
            "update api_keys set revoked_at = $3 where id = $1 and account_id = $2 and revoked_at is null",
        )
        .bind(id.as_str())
        .bind(actor.account_id.as_str())
        .bind(at.as_millis())
        .execute(&mut *tx)
        .await?;
        if revoked.rows_affected() == 0 {
            return Ok(None);
        }
        let row = find(&mut tx, &actor.account_id, id).await?;
        let row = row.ok_or(StoreError::Corrupt("API key"))?;
        let deed = Deed::new(actor, "api_key.revoked", id.as_str(), at);
        audit::write(&mut tx, &deed.with(json!({ "before": shown(&row.key) }))).await?;
        tell_others_of_key(&mut tx, self, id).await?;
        tx.commit().await?;
        Ok(Some(row))
    }

    async fn record_api_key_uses(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for (id, at) in uses {
            sqlx::query(
                "update api_keys set last_used_at = $2
                 where id = $1 and (last_used_at is null or last_used_at < $2)",
            )
            .bind(id.as_str())
            .bind(at.as_millis())
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }
}

async fn find(
    connection: &mut Connection,
    account: &AccountId,
    id: &ApiKeyId,
) -> Result<Option<ApiKeyRow>, StoreError> {
    let sql = format!("select {KEY} from api_keys where id = $1 and account_id = $2");
    let row: Option<KeyRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(id.as_str())
        .bind(account.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(ApiKeyRow::try_from).transpose()
}

/// As the audit log tells it.
fn shown(key: &ApiKey) -> serde_json::Value {
    json!({
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "expires_at": key.expires_at.map(Timestamp::rfc3339),
    })
}
