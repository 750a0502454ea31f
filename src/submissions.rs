//! Changes that are made once, even if their form is submitted twice, for example by a double click.
//!
//! Each rendered form has a random token. The first submission stores its outcome, and later ones with the same token and
//! the same fields return it, on any process. The stored outcome may contain a new API key, so it is encrypted with a key
//! that only the token yields, and the database does not contain the token.

use std::{sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use crate::{
    domain::{Clock, UserId, random_uuid},
    store::{FormState, Store, StoreError},
    vault::one_time,
    webhooks::run_detached,
};

/// Maximum time that a submission waits for the first one.
const MAX_WAIT: Duration = Duration::from_secs(25);

/// Interval at which a submission checks whether the first one is done.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Submitted forms. Cheap to clone.
#[derive(Clone)]
pub struct Submissions {
    pub store: Arc<Store>,
    pub clock: Arc<dyn Clock>,
}

/// Reason why the outcome of an earlier submission is not known.
#[derive(Debug, thiserror::Error)]
pub enum SubmissionError {
    #[error("the first submission of the form has not ended")]
    StillInProgress,
    #[error("the stored outcome of the form is damaged")]
    Damaged,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Identifies a submission and encrypts its outcome.
pub struct SubmissionKey {
    id: [u8; 32],
    outcome: [u8; 32],
}

/// Returns a token for a form.
pub fn new_token() -> String {
    random_uuid().simple().to_string()
}

impl SubmissionKey {
    /// Returns `None` if the token is not one of [`new_token`].
    pub fn new(user: &UserId, function: &str, token: &str, form: &impl Serialize) -> Option<Self> {
        let is_token = token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        let form = serde_json::to_vec(form).ok().filter(|_| is_token)?;
        let form = Zeroizing::new(form);
        let hash = |purpose: &str| {
            let hash = Sha256::new()
                .chain_update(format!("{purpose}\n{user}\n{function}\n{token}\n"))
                .chain_update(&*form);
            hash.finalize().into()
        };
        Some(Self {
            id: hash("submission"),
            outcome: hash("outcome"),
        })
    }

    fn seal(&self, outcome: &impl Serialize) -> Option<Vec<u8>> {
        let json = Zeroizing::new(serde_json::to_vec(outcome).ok()?);
        Some(one_time::seal(&self.outcome, &json))
    }

    fn open<T: DeserializeOwned>(&self, sealed: &[u8]) -> Option<T> {
        let json = one_time::open(&self.outcome, sealed)?;
        serde_json::from_slice(&json).ok()
    }
}

impl Submissions {
    /// Makes a change, unless the same form was submitted before. Then waits for the outcome of that submission.
    ///
    /// The change completes even if its client disconnects: on a double click, a browser drops the first request.
    pub async fn once<T, E>(
        &self,
        key: SubmissionKey,
        change: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        E: From<SubmissionError> + Send + 'static,
    {
        let started = Instant::now();
        loop {
            let state = self.store.begin_form(&key.id, self.clock.now()).await;
            match state.map_err(SubmissionError::Store)? {
                FormState::New => break,
                FormState::Done(sealed) => {
                    return key.open(&sealed).ok_or_else(|| SubmissionError::Damaged.into());
                }
                FormState::InProgress if started.elapsed() > MAX_WAIT => {
                    return Err(SubmissionError::StillInProgress.into());
                }
                FormState::InProgress => sleep(POLL_INTERVAL).await,
            }
        }
        let store = Arc::clone(&self.store);
        run_detached(async move {
            let result = change.await;
            let sealed = result.as_ref().ok().and_then(|outcome| key.seal(outcome));
            let stored = match sealed {
                Some(outcome) => store.complete_form(&key.id, &outcome).await,
                None => store.forget_form(&key.id).await,
            };
            if let Err(error) = stored {
                tracing::warn!(%error, "failed to store the outcome of a form");
            }
            result
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_depends_on_user_function_token_and_fields() {
        let user = |number: u32| format!("usr_{number:032}").parse::<UserId>().unwrap();
        let (one, two) = (new_token(), new_token());
        let key = |user: &UserId, function: &str, token: &str, name: &str| {
            SubmissionKey::new(user, function, token, &name).unwrap()
        };
        let first = key(&user(1), "/add", &one, "a");
        assert_ne!(first.id, first.outcome);
        assert_eq!(key(&user(1), "/add", &one, "a").id, first.id);
        for other in [
            key(&user(2), "/add", &one, "a"),
            key(&user(1), "/test", &one, "a"),
            key(&user(1), "/add", &two, "a"),
            key(&user(1), "/add", &one, "b"),
        ] {
            assert_ne!(other.id, first.id);
            assert_ne!(other.outcome, first.outcome);
        }
        for token in ["", "1", &"x".repeat(32)] {
            assert!(
                SubmissionKey::new(&user(1), "/add", token, &"").is_none(),
                "{token:?}"
            );
        }
    }
}
