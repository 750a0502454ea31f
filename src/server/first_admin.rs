//! The first start has nobody to sign in: it makes an admin.

use zeroize::Zeroizing;

use super::{Config, StartError};
use crate::{
    auth::{Auth, password},
    domain::{Clock, Role},
    store::{DEFAULT_ACCOUNT, Store, StoreError, Unique},
};

/// The admin whom this start made.
pub struct FirstAdmin {
    pub email: String,
    /// Only if it was generated: then this is the only time that anybody sees it.
    pub generated_password: Option<Zeroizing<String>>,
}

/// The fewest characters of a configured password.
const MIN_PASSWORD: usize = 8;

pub(super) async fn ensure(
    config: &Config,
    auth: &Auth,
    store: &Store,
    clock: &dyn Clock,
) -> Result<Option<FirstAdmin>, StartError> {
    let account = store.ensure_account(DEFAULT_ACCOUNT, clock.now()).await?;
    if !store.users().await?.is_empty() {
        return Ok(None);
    }
    let configured = config.admin_password.clone();
    if configured
        .as_ref()
        .is_some_and(|password| password.chars().count() < MIN_PASSWORD)
    {
        let text = format!("CALEIDA_ADMIN_PASSWORD is too short: use at least {MIN_PASSWORD} characters");
        return Err(StartError::Config(text));
    }
    let generated = configured.is_none().then(|| Zeroizing::new(password::generate()));
    let password = configured.or_else(|| generated.clone()).unwrap_or_default();
    match auth
        .add_user(account, &config.admin_email, Role::Admin, &password)
        .await
    {
        Ok(admin) => Ok(Some(FirstAdmin {
            email: admin.email,
            generated_password: generated,
        })),
        // Another process that starts at the same moment was faster, and tells the password.
        Err(StoreError::Conflict(Unique::UserEmail)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
