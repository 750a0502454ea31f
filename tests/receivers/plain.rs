//! The receiver that the guide shows, unchanged. Lints for this project's own code are lifted here.
#![expect(
    clippy::disallowed_methods,
    reason = "a receiver reads the system's clock itself"
)]

include!("../../docs/receivers/rust/plain.rs");
