//! Traces, sent by OTLP over HTTP to where the variables of OpenTelemetry say (`OTEL_EXPORTER_OTLP_ENDPOINT` and the others).

use std::{env, thread};

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

/// Sends in a thread of its own, in batches; what does not fit its queue is dropped.
pub(super) struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// Unless one of these is set, nothing is traced.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

impl Traces {
    pub(super) fn start() -> Result<Option<Self>, TelemetryError> {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        if !ENDPOINTS.into_iter().any(is_set) {
            return Ok(None);
        }
        // A blocking client has a runtime, which cannot be made inside of one.
        let client = thread::spawn(blocking_client)
            .join()
            .expect("it does not panic")?;
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
        let ours = Targets::new().with_target(trace::TARGET, LevelFilter::INFO);
        tracing_opentelemetry::layer()
            .with_tracer(self.tracer.clone())
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(ours)
    }
}

/// What is said of ourselves: what the variables say, and a name if they have none.
fn resource() -> Resource {
    let told = Resource::builder().build();
    let name = told.get(&Key::from_static_str("service.name"));
    if name.is_some_and(|name| !name.as_str().is_empty() && !name.as_str().starts_with("unknown_service")) {
        told
    } else {
        Resource::builder().with_service_name("caleida").build()
    }
}

impl Drop for Traces {
    /// Sends what is still waiting.
    fn drop(&mut self) {
        let provider = self.provider.clone();
        // It waits for its own thread, for a few seconds at most.
        if let Ok(Err(error)) = thread::spawn(move || provider.shutdown()).join() {
            eprintln!("the last traces were not sent: {error}");
        }
    }
}

/// Makes the span a part of the trace that the request belongs to, if it says so in `traceparent`.
pub(in crate::server) fn continue_from(headers: &HeaderMap, span: &Span) {
    if !span.is_disabled() {
        let context = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        // It can only fail for a span that nobody exports.
        let _ = span.set_parent(context);
    }
}
