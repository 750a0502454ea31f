//! Row locks against concurrent changes. They do nothing on SQLite, which has a single writer.

use crate::{
    domain::{AccountId, WebhookId},
    store::{
        StoreError,
        database::{Connection, Dialect, query},
    },
};

/// Locks an account until the end of the transaction. Only transactions that count or compare the rows of the account
/// take this lock.
pub(super) async fn lock_account(connection: &mut Connection, account: &AccountId) -> Result<(), StoreError> {
    if connection.dialect() == Dialect::Postgres {
        query("select from accounts where id = $1 for no key update")
            .bind(account)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Locks a webhook until the end of the transaction. Waits for transactions that fan out events to it, and blocks new
/// ones.
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
