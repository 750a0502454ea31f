//! The receiver that the guide shows, unchanged. Rules of this project that its readers do not share are lifted here.
#![expect(
    clippy::disallowed_methods,
    reason = "a receiver reads the system's clock itself"
)]

include!("../../docs/receivers/rust/plain.rs");
