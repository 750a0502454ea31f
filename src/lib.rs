//! Caleida's webhooks, in reading order.
//!
//! An event comes in by [`api`], is stored with a delivery for every webhook that wants it ([`store`]), claimed, signed,
//! sent and recorded by [`delivery`], and shown by [`ui`]. [`webhooks`] is what people and machines do to webhooks,
//! [`api_keys`] what they do to keys, [`auth`] says who they are, [`vault`] keeps secrets at rest, and [`server`] puts all of it together for [`cli`].
//!
//! Modules depend only on those further up: the test `tidy` checks it. What only the server has is gated here, once.

// A page's view is one deeply nested type.
#![recursion_limit = "512"]

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
pub mod api;
pub mod ui;

#[cfg(feature = "ssr")]
pub mod server;

#[cfg(feature = "ssr")]
pub mod cli;
