//! Rotation of the master key while servers are running.

use super::{Vault, VaultError};
use crate::{
    domain::{Actor, Clock, WebhookId},
    store::{Change, ResealedSecrets, Sealed, SealedWithOtherKey, SecretReplacement, Store, StoreError},
};

/// Webhooks per transaction. Small, so that a transaction blocks other writers only for a few milliseconds.
const BATCH_SIZE: u32 = 100;

/// Result of [`reseal`].
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ResealReport {
    /// Number of webhooks whose secrets were resealed.
    pub resealed: u64,
    /// Webhooks whose secrets no key opens. They are left unchanged.
    pub damaged: Vec<WebhookId>,
}

/// Reseals, with the vault's primary key, every secret that another key has sealed. Each batch is committed, so a call
/// after an interruption continues with the rest.
pub async fn reseal(
    vault: &Vault,
    store: &Store,
    clock: &dyn Clock,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<ResealReport, StoreError> {
    let mut report = ResealReport::default();
    let mut after = None;
    loop {
        let sealed = store
            .secrets_sealed_with_other_keys(vault.key_id(), after.as_ref(), BATCH_SIZE)
            .await?;
        let Some(last) = sealed.last() else {
            return Ok(report);
        };
        after = Some(last.webhook_id.clone());
        let mut resealed = Vec::with_capacity(sealed.len());
        for webhook in sealed {
            let id = webhook.webhook_id.clone();
            match reseal_webhook(vault, clock, webhook) {
                Ok(webhook) => resealed.push(webhook),
                Err(_) => report.damaged.push(id),
            }
        }
        report.resealed += store.reseal(&resealed).await?;
        progress(report.resealed);
    }
}

fn reseal_webhook(
    vault: &Vault,
    clock: &dyn Clock,
    webhook: SealedWithOtherKey,
) -> Result<ResealedSecrets, VaultError> {
    let id = &webhook.webhook_id;
    let reseal = |before: Sealed| {
        let after = vault.seal(id, &vault.open(id, &before)?);
        Ok(SecretReplacement { before, after })
    };
    let reseal_headers = |before: Sealed| {
        let after = vault.seal_headers(id, &vault.open_headers(id, &before)?);
        Ok(SecretReplacement { before, after })
    };
    Ok(ResealedSecrets {
        current: reseal(webhook.current)?,
        previous: webhook.previous.map(reseal).transpose()?,
        headers: webhook.headers.map(reseal_headers).transpose()?,
        change: Change::new(
            &Actor::operator(webhook.account_id),
            webhook.webhook_id.clone(),
            clock.now(),
        ),
    })
}
