//! The integration tests, in one binary so that it is linked once.

mod accounts;
mod api;
mod api_keys;
mod assets;
mod audit;
mod cli;
mod cluster;
mod copy;
mod crash;
mod delivery;
mod engine;
mod live;
mod outage;
mod people;
mod readme;
mod receivers;
mod roles;
mod sender;
mod sign_in;
mod store;
mod support;
mod tidy;
