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

    async fn join(&self, _member: &Member) -> Result<Joined, StoreError> {
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

    async fn leave(&self, _id: &ProcessId) -> Result<(), StoreError> {
        Ok(())
    }

    async fn call_others(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn next_signal(&self) -> Result<Signal, StoreError> {
        future::pending().await
    }
}
