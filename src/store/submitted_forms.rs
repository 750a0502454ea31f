//! Submitted forms, so that submitting one twice has the effect of once.

/// State of a form when it is submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormState {
    /// It was not submitted before.
    New,
    /// The change of an earlier submission is in progress.
    InProgress,
    /// An earlier submission made the change. Contains the stored outcome.
    Done(Vec<u8>),
}
