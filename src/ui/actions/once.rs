//! Changes that are made once, even if their form is submitted twice. See [`submissions`](crate::submissions).

use serde::{Deserialize, Serialize};

use super::{
    outcome::{Fragment, Outcome},
    refusal::{Reason, Refusal},
};
use crate::{
    submissions::{SubmissionError, SubmissionKey, new_token},
    ui::request::{context::RequestContext, flash::Flash},
};

/// The outcome of a change, for its submission and for repeated ones.
#[derive(Serialize, Deserialize)]
pub struct Done {
    to: Option<String>,
    part: Option<Fragment>,
    flash: Option<Flash>,
}

impl Done {
    /// Shows another page with a message.
    pub fn flash(flash: Flash, to: impl Into<String>) -> Self {
        Self {
            to: Some(to.into()),
            part: None,
            flash: Some(flash),
        }
    }

    /// Shows HTML, on this page or another one.
    pub fn part(part: Fragment, to: Option<&str>) -> Self {
        Self {
            to: to.map(ToOwned::to_owned),
            part: Some(part),
            flash: None,
        }
    }
}

impl RequestContext {
    /// Makes a change, or returns the outcome of an earlier submission of the same form.
    pub async fn once(
        &self,
        function: &'static str,
        token: &str,
        form: &impl Serialize,
        change: impl Future<Output = Result<Done, Refusal>> + Send + 'static,
    ) -> Result<Outcome, Refusal> {
        let done = match SubmissionKey::new(&self.user.id, function, token, form) {
            Some(key) => self.ui.submissions.once(key, change).await?,
            None => change.await?,
        };
        if let Some(flash) = done.flash {
            flash.store(&self.session).await;
        }
        // A form that stays is submitted again on purpose.
        let submission = done.to.is_none().then(new_token);
        Ok(Outcome {
            to: done.to,
            part: done.part,
            submission,
            ..Outcome::default()
        })
    }
}

impl From<SubmissionError> for Refusal {
    fn from(error: SubmissionError) -> Self {
        match error {
            SubmissionError::Store(error) => error.into(),
            SubmissionError::StillInProgress => Self::new(Reason::Unknown),
            SubmissionError::Damaged => {
                tracing::error!(%error, "failed to repeat the outcome of a form");
                Self::new(Reason::Broken)
            }
        }
    }
}
