//! Requests that met the end of their connection.
//!
//! A healthy receiver retires connections: after a number of requests, when they were idle, or when it restarts. A
//! request on such a connection fails although nothing is wrong with the receiver, and is sent again at once.

use std::{pin::pin, sync::Arc};

use reqwest::{RequestBuilder, Response};
use tokio::time::{Instant, timeout_at};

use super::{
    failure,
    progress::{Opening, Progress, RecordedBody, local_address},
};
use crate::delivery::fence::FencedBody;

/// Reason a request has no response.
#[derive(Debug)]
pub(super) enum Unanswered {
    Failed {
        error: reqwest::Error,
        /// `None` if the receiver did not retire the connection.
        retired: Option<Retired>,
    },
    /// No connection has taken the request in good time. It was not sent.
    Waiting,
    TimedOut,
}

/// How a receiver retired the connection of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retired {
    /// It stated that it did not process the request, by `REFUSED_STREAM` or `GOAWAY` of HTTP/2.
    Refused,
    /// It closed a connection that had been open before the request, and did not respond. It may have processed the
    /// request, but that is far less frequent than an idle connection that is closed while a request is on its way.
    Closed,
    /// It closed the connection that the request was given, while others of its connections still opened. The pool then
    /// drops the request, which was not sent.
    Unsent,
}

/// Sends a request of a guarded client.
///
/// A request that waits for others at `patience` ends as [`Unanswered::Waiting`]. It waits for the streams of an HTTP/2
/// connection, or it met the end of one: hyper can lose a request that is handed over at the moment when its connection
/// closes.
pub(super) async fn send(
    request: RequestBuilder,
    body: FencedBody,
    patience: Instant,
    deadline: Instant,
) -> Result<Response, Unanswered> {
    let progress = Arc::new(Progress::default());
    let request = request.body(reqwest::Body::wrap(RecordedBody::new(body, &progress)));
    let mut sending = pin!(progress.record(request.send()));
    let result = match timeout_at(patience, &mut sending).await {
        Ok(result) => result,
        Err(_) if progress.waits_for_others() => return Err(Unanswered::Waiting),
        Err(_) => timeout_at(deadline, sending)
            .await
            .map_err(|_| Unanswered::TimedOut)?,
    };
    result.map_err(|error| Unanswered::Failed {
        retired: retired(&error, progress.opening()),
        error,
    })
}

fn retired(error: &reqwest::Error, opening: Opening) -> Option<Retired> {
    if failure::is_refused_by_http2(error) {
        return Some(Retired::Refused);
    }
    if opening != Opening::Failed && failure::is_dropped_by_pool(error) {
        return Some(Retired::Unsent);
    }
    let used = failure::connection(error).and_then(local_address)?;
    (opening != Opening::Opened(Some(used)) && failure::is_connection_lost(error)).then_some(Retired::Closed)
}
