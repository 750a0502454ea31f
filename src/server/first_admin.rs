//! Creates an admin at the first start, when there are no users.

use zeroize::Zeroizing;

use super::{Config, StartError};
use crate::{
    auth::{Auth, password},
    domain::{Clock, Role},
    store::{DEFAULT_ACCOUNT, Store, StoreError, Unique},
};

/// The admin that this start created.
pub struct FirstAdmin {
    pub email: String,
    /// The generated password, shown only once. `None` if a password is configured.
    pub generated_password: Option<Zeroizing<String>>,
}

/// Minimum length of a configured password, in characters.
const MIN_PASSWORD_LENGTH: usize = 8;

/// Creates the first admin if there are no users.
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
        .is_some_and(|password| password.chars().count() < MIN_PASSWORD_LENGTH)
    {
        let text =
            format!("CALEIDA_ADMIN_PASSWORD is too short: use at least {MIN_PASSWORD_LENGTH} characters");
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
        // Another process that starts at the same time created the admin, and prints the password.
        Err(StoreError::Conflict(Unique::UserEmail)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
