//! Locks of rows that others may change at the same time. SQLite has one writer: there is nothing to lock.

use crate::{
    domain::{AccountId, WebhookId},
    store::{
        StoreError,
        database::{Connection, Dialect, query},
    },
};

/// Transactions that also count or compare the rows of the account wait until this one is committed; no others do.
pub(super) async fn lock_account(connection: &mut Connection, account: &AccountId) -> Result<(), StoreError> {
    if connection.dialect() == Dialect::Postgres {
        query("select from accounts where id = $1 for no key update")
            .bind(account)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Waits for the events that are being fanned out to the webhook, and keeps others from being until the transaction ends.
pub(super) async fn lock_webhook(
    connection: &mut Connection,
    account: &AccountId,
    webhook: &WebhookId,
) -> Result<(), StoreError> {
    if connection.dialect() == Dialect::Postgres {
        query("select from webhooks where id = $1 and account_id = $2 for update")
            .bind(webhook)
            .bind(account)
            .execute(connection)
            .await?;
    }
    Ok(())
}
