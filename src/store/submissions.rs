//! Submitted forms, so that submitting one twice has the effect of once.

/// State of a submission when another one with the same id begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmissionState {
    /// This is the first one.
    New,
    /// The change of the first one is in progress.
    InProgress,
    /// The change was made. Contains the stored outcome.
    Done(Vec<u8>),
}
