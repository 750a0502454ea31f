//! From one master key to another, while everything runs.

use super::{Vault, VaultError};
use crate::{
    domain::{Actor, Clock, WebhookId},
    store::{Change, Replaced, Resealed, Sealed, SealedOtherwise, Store, StoreError},
};

/// Webhooks in one transaction: a few milliseconds of the writer's time.
const BATCH: u32 = 100;

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Resealing {
    /// Webhooks whose secrets are sealed anew.
    pub resealed: u64,
    /// Those whose secrets open with no key, and stay as they are.
    pub damaged: Vec<WebhookId>,
}

/// Seals every secret that another key has sealed with the vault's own. Whatever interrupts it, what is done is done:
/// begun again, it goes on with the rest.
pub async fn reseal(
    vault: &Vault,
    store: &Store,
    clock: &dyn Clock,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<Resealing, StoreError> {
    let mut done = Resealing::default();
    let mut after = None;
    loop {
        let sealed = store
            .sealed_otherwise(vault.key_id(), after.as_ref(), BATCH)
            .await?;
        let Some(last) = sealed.last() else {
            return Ok(done);
        };
        after = Some(last.webhook_id.clone());
        let mut resealed = Vec::with_capacity(sealed.len());
        for webhook in sealed {
            let id = webhook.webhook_id.clone();
            match anew(vault, clock, webhook) {
                Ok(anew) => resealed.push(anew),
                Err(_) => done.damaged.push(id),
            }
        }
        done.resealed += store.reseal(&resealed).await?;
        progress(done.resealed);
    }
}

fn anew(vault: &Vault, clock: &dyn Clock, webhook: SealedOtherwise) -> Result<Resealed, VaultError> {
    let id = &webhook.webhook_id;
    let replace = |before: Sealed| {
        let after = vault.seal(id, &vault.open(id, &before)?);
        Ok(Replaced { before, after })
    };
    Ok(Resealed {
        current: replace(webhook.current)?,
        previous: webhook.previous.map(replace).transpose()?,
        change: Change::new(
            &Actor::operator(webhook.account_id),
            webhook.webhook_id.clone(),
            clock.now(),
        ),
    })
}
