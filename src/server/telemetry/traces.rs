//! Exports traces by OTLP over HTTP, configured by the OpenTelemetry variables (`OTEL_EXPORTER_OTLP_ENDPOINT` and
//! others).

use std::{
    env,
    io::{self, Write},
    thread,
};

use axum::http::HeaderMap;
use opentelemetry::{Key, propagation::TextMapPropagator, trace::TracerProvider};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider},
};
use tracing::{Span, Subscriber, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

use super::TelemetryError;
use crate::{delivery::sender::blocking_client, trace};

/// Trace exporter. Sends batches in its own thread, and drops spans when its queue is full.
pub(super) struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// Variables that enable traces.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

impl Traces {
    /// Starts the exporter, if an endpoint is configured.
    pub(super) fn start() -> Result<Option<Self>, TelemetryError> {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        if !ENDPOINTS.into_iter().any(is_set) {
            return Ok(None);
        }
        // A blocking client creates its own runtime, which is not allowed inside another one.
        let client = thread::spawn(blocking_client)
            .join()
            .expect("creating the client does not panic")?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .build()
            .map_err(|error| TelemetryError::Exporter(error.to_string()))?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource())
            .build();
        let tracer = provider.tracer("caleida");
        Ok(Some(Self { provider, tracer }))
    }

    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let targets = Targets::new().with_target(trace::TARGET, LevelFilter::INFO);
        tracing_opentelemetry::layer()
            .with_tracer(self.tracer.clone())
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(targets)
    }
}

/// Returns the resource from the OpenTelemetry variables, with a default service name.
fn resource() -> Resource {
    let configured = Resource::builder().build();
    let name = configured.get(&Key::from_static_str("service.name"));
    if name.is_some_and(|name| !name.as_str().is_empty() && !name.as_str().starts_with("unknown_service")) {
        configured
    } else {
        Resource::builder().with_service_name("caleida").build()
    }
}

impl Drop for Traces {
    /// Sends the remaining spans.
    fn drop(&mut self) {
        let provider = self.provider.clone();
        // Blocks for a few seconds at most, until the exporter's thread has ended.
        if let Ok(Err(error)) = thread::spawn(move || provider.shutdown()).join() {
            let _ = writeln!(io::stderr(), "failed to export the last traces: {error}");
        }
    }
}

/// Makes the span a child of the span in the request's `traceparent` header, if present.
pub(in crate::server) fn continue_from(headers: &HeaderMap, span: &Span) {
    if !span.is_disabled() {
        let context = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        // Fails only for spans that are not exported.
        let _ = span.set_parent(context);
    }
}
