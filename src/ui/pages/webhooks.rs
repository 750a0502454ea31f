//! The list of webhooks, the dialogs over it, and recoveries.

pub mod delete;
pub mod edit;
mod form;
mod held;
pub mod list;
pub mod new;
pub mod recover;
pub mod test;
