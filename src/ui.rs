//! The dashboard.
//!
//! axum is the only router, and a page is a pure function of what its handler loaded: a handler takes a
//! [`Visit`](request::visit::Visit), loads from the store, and returns complete HTML. What people change goes through the
//! server functions in [`actions`], with and without JavaScript. The [`islands`] make the pages smoother; they and the
//! browser's side of the actions are all of this module that compiles for the browser.
//!
//! In reading order: [`routes()`] is the table of the screens and functions and of who may use them; [`request`] is who
//! asks, [`layout`] what is around every screen; [`pages`] has a folder per noun and [`components`] what pages share;
//! [`words`] are the texts for the codes of the other modules.

pub mod actions;
pub mod islands;

#[cfg(feature = "ssr")]
mod components;
#[cfg(feature = "ssr")]
mod error;
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
mod words;

#[cfg(feature = "ssr")]
pub use self::{
    error::PageError,
    paths::{INVITES, invite_link},
    request::access::Access,
    routes::{Route, router, routes},
    state::{DeliveryPolicy, Site, Ui},
};
