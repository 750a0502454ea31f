//! What is around every screen: the document, the shell, and the streams that keep a part of it up to date.

pub mod document;
pub mod error_page;
pub mod fragment;
pub mod live;
mod markers;
pub mod shell;
