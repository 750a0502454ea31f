//! The list of webhooks, and the dialogs over it.

pub mod delete;
pub mod edit;
mod form;
pub mod list;
pub mod new;
pub mod recover;
pub mod test;
