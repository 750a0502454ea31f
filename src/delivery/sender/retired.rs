//! Requests that met the end of their connection.
//!
//! A healthy receiver retires connections: after a number of requests, when they were idle, or when it restarts. A
//! request on such a connection fails although nothing is wrong with the receiver, and is sent again at once.

use std::{cell::Cell, net::SocketAddr};

use hyper_util::client::legacy::connect::{Connected, Connection, HttpInfo};
use reqwest::{RequestBuilder, Response};

use super::failure;

tokio::task_local! {
    /// The local address of the connection that the request has opened. It identifies the connection.
    static OPENED: Cell<Option<SocketAddr>>;
}

/// Reason a request has no response.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) error: reqwest::Error,
    /// `None` if the receiver did not retire the connection.
    pub(super) retired: Option<Retired>,
}

/// How a receiver retired the connection of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retired {
    /// It stated that it did not process the request, by `REFUSED_STREAM` or `GOAWAY` of HTTP/2.
    Refused,
    /// It closed a connection that had been open before the request, and did not respond. It may have processed the
    /// request, but that is far less frequent than an idle connection that is closed while a request is on its way.
    Closed,
}

/// Sends a request of a client whose connector is wrapped by [`record_opening`].
pub(super) async fn send(request: RequestBuilder) -> Result<Response, Unanswered> {
    let sending = async {
        let result = request.send().await;
        (result, OPENED.with(Cell::get))
    };
    let (result, opened) = OPENED.scope(Cell::new(None), sending).await;
    result.map_err(|error| Unanswered {
        retired: retired(&error, opened),
        error,
    })
}

/// Records the connection that a request opens. The request may still get another one that became free in the
/// meantime.
pub(super) async fn record_opening<C: Connection, E>(
    connecting: impl Future<Output = Result<C, E>>,
) -> Result<C, E> {
    let connection = connecting.await?;
    // Fails if the client opens the connection in the background, because the request got another one.
    let _ = OPENED.try_with(|opened| opened.set(local_address(&connection.connected())));
    Ok(connection)
}

fn retired(error: &reqwest::Error, opened: Option<SocketAddr>) -> Option<Retired> {
    if failure::is_refused_by_http2(error) {
        return Some(Retired::Refused);
    }
    let used = failure::connection(error).and_then(local_address)?;
    (opened != Some(used) && failure::is_connection_lost(error)).then_some(Retired::Closed)
}

fn local_address(connected: &Connected) -> Option<SocketAddr> {
    let mut extensions = http::Extensions::new();
    connected.get_extras(&mut extensions);
    extensions.get().map(HttpInfo::local_addr)
}
