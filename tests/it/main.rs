//! The integration tests, in one binary so that it is linked once.

mod api;
mod assets;
mod cli;
mod cluster;
mod connections;
mod copy;
mod crash;
mod delivery;
mod engine;
mod headers;
mod live;
mod log;
mod metrics;
mod outage;
mod readme;
mod rotation;
mod secrets;
mod sender;
mod ship;
mod sign_in;
mod store;
mod support;
mod tidy;
