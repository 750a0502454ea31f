use std::time::Duration;

use crate::{
    domain::Timestamp,
    store::{FormState, Store, StoreError, database::query},
};

/// Time for which an outcome is stored.
const RETENTION: Duration = Duration::from_secs(60 * 60);

/// Time after which a change without an outcome was interrupted. Longer than the timeout of any request.
const MAX_DURATION: Duration = Duration::from_secs(60);

/// The id of a form is a hash of its token, its fields and its user.
impl Store {
    /// Records that a form is submitted, and returns its state before. Forgets old forms.
    pub async fn begin_form(&self, id: &[u8; 32], now: Timestamp) -> Result<FormState, StoreError> {
        let mut tx = self.begin().await?;
        query("delete from submitted_forms where created_at < $1 or (outcome is null and created_at < $2)")
            .bind(now.minus(RETENTION))
            .bind(now.minus(MAX_DURATION))
            .execute(&mut tx)
            .await?;
        let inserted =
            query("insert into submitted_forms (id, created_at) values ($1, $2) on conflict (id) do nothing")
                .bind(id)
                .bind(now)
                .execute(&mut tx)
                .await?;
        let state = if inserted == 1 {
            FormState::New
        } else {
            let outcome: Option<Vec<u8>> =
                query("select outcome from submitted_forms where id = $1 and outcome is not null")
                    .bind(id)
                    .fetch_optional(&mut tx)
                    .await?;
            outcome.map_or(FormState::InProgress, FormState::Done)
        };
        tx.commit().await?;
        Ok(state)
    }

    /// Stores the outcome of a change that was made.
    pub async fn complete_form(&self, id: &[u8; 32], outcome: &[u8]) -> Result<(), StoreError> {
        query("update submitted_forms set outcome = $2 where id = $1")
            .bind(id)
            .bind(outcome)
            .execute_in(&self.database)
            .await?;
        Ok(())
    }

    /// Forgets a form whose change was refused, so that it can be submitted again.
    pub async fn forget_form(&self, id: &[u8; 32]) -> Result<(), StoreError> {
        query("delete from submitted_forms where id = $1")
            .bind(id)
            .execute_in(&self.database)
            .await?;
        Ok(())
    }
}
