//! Caleida's webhooks. The modules are in reading order.
//!
//! [`api`] receives events. [`store`] stores them with a delivery for every subscribed webhook. [`delivery`] claims,
//! signs, sends and records deliveries, and [`ui`] shows them. [`webhooks`], [`api_keys`] and [`people`] contain the
//! operations on webhooks, API keys and users, for `ui`, `api` and [`cli`]. [`submissions`] makes the change of a form
//! once. [`auth`] authenticates users and API keys, and [`vault`] encrypts secrets. [`server`] assembles everything.
//!
//! Modules depend only on the modules above them, which the test `tidy` checks. Modules that the browser does not need
//! are gated here with the feature `ssr`.

// The view of a page is a deeply nested type.
#![recursion_limit = "512"]
// `println!` and `eprintln!` panic if the output is a closed pipe or a full disk: use `cli::terminal`.
#![deny(clippy::print_stderr, clippy::print_stdout)]

pub mod domain;

#[cfg(feature = "ssr")]
pub mod trace;

#[cfg(feature = "ssr")]
pub mod store;
#[cfg(feature = "ssr")]
pub mod vault;

#[cfg(feature = "ssr")]
pub mod delivery;

#[cfg(feature = "ssr")]
pub mod auth;
#[cfg(feature = "ssr")]
pub mod people;
#[cfg(feature = "ssr")]
pub mod webhooks;

#[cfg(feature = "ssr")]
pub mod api_keys;

#[cfg(feature = "ssr")]
pub mod submissions;

#[cfg(feature = "ssr")]
pub mod api;
pub mod ui;

#[cfg(feature = "ssr")]
pub mod server;

#[cfg(feature = "ssr")]
pub mod cli;
