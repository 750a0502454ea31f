//! Traces exported to an OpenTelemetry collector.

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value as AnyValue,
    trace::v1::{Span, span::SpanKind, status::StatusCode as SpanStatus},
};
use prost::Message;
use reqwest::Method;
use serde_json::json;

use crate::support::{
    app::eventually,
    program::Program,
    receiver::{Receiver, Reply},
};

/// Returns all spans that the collector has received.
fn spans(collector: &Receiver) -> Vec<Span> {
    let exports = collector.received().into_iter().map(|call| {
        assert_eq!(call.path, "/v1/traces");
        ExportTraceServiceRequest::decode(&*call.body).unwrap()
    });
    let resources = exports.flat_map(|export| export.resource_spans);
    let scopes = resources.flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

fn text(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    Some(match found.value.as_ref()?.value.as_ref()? {
        AnyValue::StringValue(text) => text.clone(),
        AnyValue::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    })
}

#[tokio::test]
async fn traces_cover_requests_and_attempts_without_secrets() {
    let collector = Receiver::start().await;
    let receiver = Receiver::start().await;
    receiver.reply_always(Reply::Status(503));
    let endpoint = collector.url("");
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ("CALEIDA_RETRY_SCHEDULE", "1s"),
        ("RUST_LOG", "debug"),
    ];
    let program = Program::start(&settings).await;
    let api = program.api();
    let url = receiver.url("/hook/s3cret-t0ken");
    let webhook = api.add_webhook(&url).await;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let event = json!({ "type": "chat", "id": "traced", "data": { "text": "pr1vate" } });
    let published = api
        .call(Method::POST, "/api/v1/events")
        .header("traceparent", parent)
        .body(event.to_string());
    assert!(published.send().await.unwrap().status().is_success());

    let (request, attempt) = eventually(async || {
        let spans = spans(&collector);
        let request = spans
            .iter()
            .find(|span| span.name == "POST /api/v1/events")?
            .clone();
        let attempt = spans.iter().find(|span| span.name == "POST")?.clone();
        Some((request, attempt))
    })
    .await
    .expect("both spans are exported");
    assert_eq!(request.kind(), SpanKind::Server);
    assert_eq!(hex(&request.trace_id), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(hex(&request.parent_span_id), "b7ad6b7169203331");
    assert_eq!(
        text(&request, "http.response.status_code").as_deref(),
        Some("202")
    );
    assert_eq!(attempt.kind(), SpanKind::Client);
    assert_eq!(text(&attempt, "server.address").as_deref(), Some("127.0.0.1"));
    assert_eq!(
        text(&attempt, "http.response.status_code").as_deref(),
        Some("503")
    );
    assert_eq!(
        text(&attempt, "caleida.webhook").as_deref(),
        webhook["id"].as_str()
    );
    assert_eq!(attempt.status.unwrap().code(), SpanStatus::Error);
    assert!(attempt.end_time_unix_nano > attempt.start_time_unix_nano);

    for call in collector.received() {
        for secret in [
            "s3cret-t0ken",
            "pr1vate",
            webhook["secret"].as_str().unwrap(),
            api.key(),
        ] {
            let found = call
                .body
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "a trace contains {secret}");
        }
    }
    // Attributes of spans do not appear in the log.
    assert!(!program.log().contains("otel."), "{}", program.log());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn missing_collector_causes_only_a_warning() {
    let receiver = Receiver::start().await;
    let settings = [
        // Nothing listens on this port.
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ];
    let program = Program::start(&settings).await;
    let api = program.api();
    api.add_webhook(&receiver.url("/")).await;
    assert!(api.publish("untraced").await.unwrap().status().is_success());
    receiver.wait_for(1).await;
    program.wait_for_log("telemetry data will be lost").await;
}
