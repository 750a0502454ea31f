//! The document and the shell around each page, error pages, HTML fragments, and live updates.

pub mod document;
pub mod error_page;
pub mod fragment;
pub mod live;
mod markers;
pub mod plain_text;
pub mod shell;
