//! Shared helpers of the integration tests.

pub mod app;
pub mod breakpoints;
pub mod browser;
pub mod caddy;
pub mod certificate;
pub mod clock;
pub mod event_source;
pub mod guarded;
pub mod html;
pub mod nginx;
pub mod pass;
pub mod postgres;
pub mod program;
pub mod proxy;
pub mod publishers;
pub mod random;
pub mod receiver;
pub mod stored;

/// Returns a port that is free at this moment.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
