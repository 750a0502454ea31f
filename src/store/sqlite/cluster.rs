use std::future;

use async_trait::async_trait;

use super::SqliteStore;
use crate::{
    domain::{ApiKeyId, ProcessId, WebhookId},
    store::{ClusterStore, Invalidation, Joined, LifeSign, Member, Renewal, Signal, StoreError},
};

/// One process has the file, and knows all that it does itself.
#[async_trait]
impl ClusterStore for SqliteStore {
    fn is_shared(&self) -> bool {
        false
    }

    /// For those who ask which keys it opens. What one before it has left behind, because it died, goes.
    async fn join(&self, member: &Member) -> Result<Joined, StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("delete from processes").execute(&mut *tx).await?;
        sqlx::query(
            "insert into processes (id, role, version, master_key_id, opens, renewals) values ($1, $2, $3, $4, $5, 0)",
        )
        .bind(member.id.as_str())
        .bind(member.role)
        .bind(member.version)
        .bind(&member.master_key_id)
        .bind(member.opens.join(","))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Joined::Yes)
    }

    async fn renew(&self, _id: &ProcessId) -> Result<Option<Renewal>, StoreError> {
        Ok(None)
    }

    async fn invalidations(&self, _id: &ProcessId) -> Result<Vec<Invalidation>, StoreError> {
        Ok(Vec::new())
    }

    async fn acknowledge(&self, _acted_upon: &[Invalidation]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn is_known_to_all(&self, _webhook: &WebhookId) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn is_revocation_known_to_all(&self, _key: &ApiKeyId) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn evict(&self, _last: &LifeSign) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn leave(&self, id: &ProcessId) -> Result<(), StoreError> {
        sqlx::query("delete from processes where id = $1")
            .bind(id.as_str())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn call_others(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn next_signal(&self) -> Result<Signal, StoreError> {
        future::pending().await
    }
}
