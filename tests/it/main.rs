//! The integration tests, in one binary so that it is linked once.

mod api;
mod cli;
mod delivery;
mod sender;
mod store;
mod support;
