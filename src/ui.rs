//! The dashboard.
//!
//! axum is the only router. A handler takes a [`RequestContext`](request::context::RequestContext), loads data from the
//! store, and renders complete HTML. Changes go through the server functions in [`actions`], with and without JavaScript.
//! The [`islands`] enhance the pages. Only they and the client side of the actions are compiled for the browser.
//!
//! Start with [`routes()`], the table of pages and server functions with their access. [`request`] has the request
//! context, [`layout`] the document and the shell around each page, [`pages`] a folder per noun, [`components`] the shared
//! components, and [`labels`] the texts for domain values.

pub mod actions;
pub mod islands;

#[cfg(feature = "ssr")]
mod components;
#[cfg(feature = "ssr")]
mod error;
#[cfg(feature = "ssr")]
mod labels;
#[cfg(feature = "ssr")]
mod layout;
#[cfg(feature = "ssr")]
mod pages;
#[cfg(feature = "ssr")]
mod paths;
#[cfg(all(test, feature = "ssr"))]
mod properties;
#[cfg(feature = "ssr")]
mod request;
#[cfg(feature = "ssr")]
mod routes;
#[cfg(feature = "ssr")]
mod state;

#[cfg(feature = "ssr")]
pub use self::{
    error::PageError,
    paths::{INVITE_PREFIX, invite_link},
    request::access::Access,
    routes::{Route, router, routes},
    state::{DeliveryPolicy, Site, Ui},
};
