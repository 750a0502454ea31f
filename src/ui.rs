//! The dashboard.
//!
//! axum is the only router, and a page is a pure function of what its handler loaded: a handler takes a [`Visit`],
//! loads from the store, and answers with complete HTML. Everything works without JavaScript; the [`islands`] make it
//! smoother, and are all of this module that compiles for the browser.
//!
//! In reading order: [`routes()`] is the map of the screens and of who may see them; [`visit`] is who asks, [`render`]
//! the answer; [`pages`] has a file per screen and [`components`] what they share.

pub mod islands;

#[cfg(feature = "ssr")]
mod access;
#[cfg(feature = "ssr")]
mod components;
#[cfg(feature = "ssr")]
mod cookie;
#[cfg(feature = "ssr")]
mod error;
#[cfg(feature = "ssr")]
mod flash;
#[cfg(feature = "ssr")]
mod form;
#[cfg(feature = "ssr")]
mod live;
#[cfg(feature = "ssr")]
mod local_path;
#[cfg(feature = "ssr")]
mod markers;
#[cfg(feature = "ssr")]
mod pages;
#[cfg(feature = "ssr")]
mod paths;
#[cfg(all(test, feature = "ssr"))]
mod properties;
#[cfg(feature = "ssr")]
mod query;
#[cfg(feature = "ssr")]
mod render;
#[cfg(feature = "ssr")]
mod routes;
#[cfg(feature = "ssr")]
mod shell;
#[cfg(feature = "ssr")]
mod state;
#[cfg(feature = "ssr")]
mod theme;
#[cfg(feature = "ssr")]
mod tidy_query;
#[cfg(feature = "ssr")]
mod visit;
#[cfg(feature = "ssr")]
mod zone;

#[cfg(feature = "ssr")]
pub use self::{
    access::Access,
    error::PageError,
    pages::api_docs::ApiDocs,
    paths::{INVITES, invite_link},
    routes::{Route, router, routes},
    state::{Site, Terms, Ui},
};
