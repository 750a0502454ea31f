//! Property tests of parsers for untrusted input: no panics, and parsed values survive a round trip through text.
//! `make fuzz` runs these and the property tests of the dashboard's query strings with many more cases.

use std::time::Duration;

use caleida::{
    delivery::{
        sender::retry_after,
        signer::{self, VerifyError},
    },
    domain::{
        DeliveryId, EndpointUrl, EventCursor, EventId, EventTypes, RetrySchedule, Secret, Timestamp,
        Transport, WebhookName,
        custom_header::{CustomHeaders, HeaderChanges, HeaderDraft},
        filter::{CompiledFilter, Filter},
        json_text::find_lone_surrogate,
    },
    server::Config,
};
use clap::Args;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config as Cases, TestRunner},
};
use reqwest::{
    Method,
    header::{HeaderName, HeaderValue},
};

use crate::support::app::TestApp;

/// An arbitrary time.
const NOW: Timestamp = Timestamp::from_millis(1_795_435_200_000);

/// Arbitrary text, or text that matches the pattern.
fn arbitrary_or(pattern: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), pattern.prop_map(|text| text)]
}

proptest! {
    #[test]
    fn parsed_urls_round_trip(text in arbitrary_or("https?://[a-z0-9.:@\\[\\]%-]{0,30}(/[ -~é]{0,30})?(#[a-z]{0,5})?")) {
        if let Ok(url) = EndpointUrl::parse(&text, Transport::HttpAllowed) {
            prop_assert!(url.full().has_host() && url.full().fragment().is_none());
            prop_assert!(url.full().username().is_empty() && url.full().password().is_none());
            prop_assert_eq!(EndpointUrl::parse(url.full().as_str(), Transport::HttpAllowed), Ok(url.clone()));
            prop_assert_eq!(EndpointUrl::parse(&text, Transport::HttpsOnly).is_ok(), url.is_https());
        }
    }

    #[test]
    fn lone_surrogates_are_those_that_serde_json_rejects(
        pieces in vec(prop::sample::select(vec![
            r"\ud83d", r"\ude00", r"\uD83D\uDE00", r"\u0041", r"\\", r"\n", r#"\""#, "x", "é", "u", "d83d",
        ]), 0..8),
        name in any::<bool>(),
    ) {
        let text = pieces.concat();
        let json = if name { format!(r#"[{{"{text}":1}}]"#) } else { format!(r#"[{{"a":"{text}"}}]"#) };
        let parsed = serde_json::from_str::<serde_json::Value>(&json);
        prop_assert_eq!(find_lone_surrogate(&json).is_none(), parsed.is_ok(), "{}", json);
    }

    #[test]
    fn parsed_filters_round_trip_and_never_panic(
        text in arbitrary_or(r#"\{"(all|any)":\[(\{"field":"[a-c0-2]{1,2}(\.[a-c0-2]{1,2})?","op":"(eq|ne|gt|lt|contains|exists|missing)"(,"value":("[a-z0-9]{0,3}"|-?[0-9]{1,25}(\.[0-9]{1,3})?(e-?[0-9]{1,3})?|true|null))?\},?){0,4}\]\}"#),
        data in arbitrary_or(r#"\{"[a-c]":(\{"[a-c]":[0-9]{1,3}\}|\[1,"a",-0\.5e2\]|"[a-c]"|null)\}"#),
    ) {
        if let Ok(filter) = Filter::parse_text(&text) {
            let again = Filter::parse_text(&filter.to_json());
            prop_assert_eq!(again.as_ref(), Ok(&filter));
            let compiled = CompiledFilter::new(&filter);
            if let Ok(data) = serde_json::from_str(&data) {
                prop_assert_eq!(compiled.matches(data), compiled.excluded_by(data).is_none());
                // A filter that contradicts itself matches nothing.
                prop_assert!(!(filter.is_contradiction() && compiled.matches(data)));
            }
        }
    }

    #[test]
    fn parsed_headers_can_be_sent_and_sealed(name in arbitrary_or("[A-Za-z0-9_-]{1,12}"), value in arbitrary_or("[ -~é]{1,30}")) {
        let draft = HeaderDraft::new(name, &value);
        if let Ok(headers) = HeaderChanges::parse(&[draft]).and_then(|changes| changes.apply(&CustomHeaders::default())) {
            for (name, value) in headers.iter() {
                prop_assert!(HeaderName::from_bytes(name.as_str().as_bytes()).is_ok());
                prop_assert!(HeaderValue::from_bytes(value.expose().as_bytes()).is_ok());
            }
            prop_assert_eq!(CustomHeaders::parse_text(&headers.to_text()), Ok(headers));
        }
    }

    #[test]
    fn parsed_secrets_round_trip_and_sign(text in arbitrary_or("(whsec_)?[A-Za-z0-9+/]{20,90}={0,2}"), body in vec(any::<u8>(), 0..200)) {
        if let Ok(secret) = Secret::parse(&text) {
            prop_assert!((Secret::MIN_KEY_LENGTH..=Secret::MAX_TEXT_LENGTH).contains(&secret.key().len()));
            prop_assert_eq!(Secret::parse(secret.reveal()), Ok(secret.clone()));
            let debug = format!("{secret:?}");
            prop_assert!(!debug.contains(secret.reveal()));
            let signature = signer::sign("evt_1", NOW.as_secs(), &body, [&secret]);
            let at = NOW.as_secs().to_string();
            let verify = |at: &str, body: &[u8]| signer::verify(&secret, "evt_1", at, &signature, body, NOW);
            prop_assert_eq!(verify(&at, &body), Ok(()));
            prop_assert!(verify(&(NOW.as_secs() + 1).to_string(), &body).is_err());
            prop_assert!(verify(&at, &[&body[..], b" "].concat()).is_err());
        }
    }

    #[test]
    fn forged_signatures_are_rejected(id in any::<String>(), at in arbitrary_or("-?[0-9]{1,20}"), signature in arbitrary_or("(v1,[A-Za-z0-9+/=]{0,50} ?){0,4}")) {
        let secret = Secret::parse("correct horse battery staple").unwrap();
        let verified: Result<(), VerifyError> = signer::verify(&secret, &id, &at, &signature, b"{}", NOW);
        prop_assert!(verified.is_err());
    }

    #[test]
    fn parsed_names_and_ids_round_trip(text in arbitrary_or("(evt_|dlv_[0-9a-f]{20})?[A-Za-z0-9_-]{1,70}")) {
        if let Ok(id) = text.parse::<EventId>() {
            prop_assert!(!id.as_str().contains('.') && id.as_str().len() <= EventId::MAX_LENGTH);
        }
        if let Ok(id) = text.parse::<DeliveryId>() {
            prop_assert_eq!(id.as_str(), &text);
            id.created_at();
        }
        if let Ok(name) = WebhookName::parse(&text) {
            prop_assert_eq!(WebhookName::parse(name.as_str()), Ok(name));
        }
        let _ = text.parse::<EventCursor>();
        let _ = EventTypes::parse(text.split(','));
    }

    #[test]
    fn parsed_cursors_round_trip(text in arbitrary_or("-?[0-9]{1,25}\\.-?[A-Za-z0-9]{1,25}")) {
        if let Ok(cursor) = text.parse::<EventCursor>() {
            prop_assert_eq!(cursor.to_string().parse::<EventCursor>(), Ok(cursor));
        }
    }

    #[test]
    fn timestamps_round_trip(millis in -62_135_596_800_000_i64..253_402_300_800_000, text in arbitrary_or("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,20}(Z|[+-][0-9]{2}:[0-9]{2})")) {
        let timestamp = Timestamp::from_millis(millis);
        if (0..=9999).contains(&timestamp.utc().year()) {
            prop_assert_eq!(Timestamp::parse_rfc3339(&timestamp.rfc3339()), Some(timestamp));
        }
        if let Some(timestamp) = Timestamp::parse_rfc3339(&text) {
            timestamp.rfc3339();
        }
    }

    #[test]
    fn retry_after_is_at_most_one_day(text in arbitrary_or("[0-9]{1,30}|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT"), now in any::<i64>()) {
        if let Some(delay) = retry_after(&text, Timestamp::from_millis(now)) {
            prop_assert!(delay <= Duration::from_secs(86_400));
        }
    }

    #[test]
    fn config_errors_do_not_reveal_master_key(value in arbitrary_or("[0-9a-z.:/,-]{0,40}")) {
        let secret = "bm90IGEga2V5IGJ1dCBub2JvZHkgc2hhbGwgc2VlIGl0";
        for setting in ["listen", "metrics-listen", "allow-networks", "allow-http", "retry-schedule", "delivery-timeout",
            "retention", "shutdown-grace", "database-url", "role"] {
            let command = Config::augment_args(clap::Command::new("serve"));
            let arguments = ["serve".to_owned(), format!("--master-key={secret}"), format!("--{setting}={value}")];
            if let Err(error) = command.try_get_matches_from(arguments) {
                prop_assert!(!error.to_string().contains(secret));
            }
        }
        if let Ok(schedule) = value.parse::<RetrySchedule>() {
            prop_assert!(schedule.attempts() <= 31);
        }
    }
}

/// Sent over HTTP: every response is 2xx or 4xx, with a JSON body.
#[test]
fn malformed_events_never_cause_server_errors() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(TestApp::start());
    let json = r#"\{"type":"(chat|message|x)","data":(\{\}|\[[0-9e.-]{0,9}\]|null|"[ -~é]{0,9}")(,"(id|timestamp|more)":"[ -~é]{0,30}")?\}"#;
    let bodies = prop_oneof![
        vec(any::<u8>(), 0..200),
        json.prop_map(String::into_bytes),
        (1_usize..3_000).prop_map(|depth| {
            format!(
                r#"{{"type":"chat","data":{}{}}}"#,
                "[".repeat(depth),
                "]".repeat(depth)
            )
            .into_bytes()
        }),
    ];
    let keys = proptest::option::of(vec(any::<u8>(), 0..300));
    let mut runner = TestRunner::new(Cases {
        // Each case is a request and possibly a commit.
        cases: Cases::default().cases.min(20_000),
        failure_persistence: None,
        ..Cases::default()
    });
    let result = runner.run(&(bodies, keys), |(body, key)| {
        let mut request = app.call(Method::POST, "/api/v1/events").body(body);
        if let Some(key) = key.and_then(|key| HeaderValue::from_bytes(&key).ok()) {
            request = request.header("idempotency-key", key);
        }
        let response = runtime.block_on(request.send()).unwrap();
        let status = response.status();
        prop_assert!(status.is_success() || status.is_client_error(), "{}", status);
        let text = runtime.block_on(response.text()).unwrap();
        prop_assert!(
            serde_json::from_str::<serde_json::Value>(&text).is_ok(),
            "{}",
            text
        );
        Ok(())
    });
    result.unwrap();
    runtime.block_on(async move { drop(app) });
}
