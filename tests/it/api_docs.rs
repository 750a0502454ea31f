//! The OpenAPI document and the page that shows it.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode, header};
use serde_json::Value;

use crate::support::app::TestApp;

async fn document(app: &TestApp) -> Value {
    let response = app
        .anonymous(Method::GET, "/api/v1/openapi.json")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn openapi_document_is_public_and_cacheable() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(document["servers"][0]["url"], app.url(""));
    let request = || app.anonymous(Method::GET, "/api/v1/openapi.json");
    let first = request().send().await.unwrap();
    let tag = first.headers()[header::ETAG].clone();
    let again = request().header(header::IF_NONE_MATCH, tag).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(again.text().await.unwrap(), "");
}

#[tokio::test]
async fn references_resolve_and_schemas_are_valid() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 20, "{references:?}");
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(
            document.pointer(pointer).is_some(),
            "{reference} does not resolve"
        );
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let mut schema = schema.clone();
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
        jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                references.insert(reference.clone());
            }
            fields.values().for_each(|field| collect(field, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

#[tokio::test]
async fn operations_have_summary_scope_and_responses() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let mut ids = BTreeSet::new();
    for (path, calls) in document["paths"].as_object().unwrap() {
        for (method, call) in calls.as_object().unwrap() {
            let id = call["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "duplicate operation {id}");
            assert!(
                !call["summary"].as_str().unwrap_or_default().is_empty(),
                "{method} {path}"
            );
            assert_eq!(call["tags"].as_array().unwrap().len(), 1, "{method} {path}");
            let responses = call["responses"].as_object().unwrap();
            assert!(
                responses.keys().any(|status| status.starts_with('2')),
                "{method} {path}"
            );
            if path == "/api/v1/openapi.json" {
                continue;
            }
            assert!(call["security"][0]["bearer"][0].is_string(), "{method} {path}");
            for status in ["401", "403", "429", "500", "503"] {
                let problem = &responses[status]["content"]["application/problem+json"];
                assert!(problem.is_object(), "{method} {path} {status}");
            }
            assert!(
                responses["429"]["headers"]["Retry-After"].is_object(),
                "{method} {path}"
            );
            for parameter in call["parameters"].as_array().into_iter().flatten() {
                let text = parameter["description"].as_str().unwrap_or_default();
                assert!(!text.is_empty(), "{method} {path} {}", parameter["name"]);
            }
        }
    }
    assert!(ids.len() >= 24, "{ids:?}");
}

#[tokio::test]
async fn docs_page_shows_every_operation_without_sign_in() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let public = app.browser().get("/api/docs").await;
    assert_eq!(public.status, StatusCode::OK);
    let signed_in = app.signed_in("admin@localhost").await.get("/api/docs").await;
    for page in [&public.body, &signed_in.body] {
        for calls in document["paths"].as_object().unwrap().values() {
            for call in calls.as_object().unwrap().values() {
                let id = call["operationId"].as_str().unwrap();
                assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
                assert!(page.contains(&format!("href=\"#{id}\"")), "{id}");
            }
        }
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            assert!(page.contains(&format!("id=\"schema-{name}\"")), "{name}");
        }
        assert!(page.contains("<code>stale</code>"));
        assert!(page.contains("RateLimit-Policy"));
    }
    assert!(!public.body.contains("Sign out"));
    assert!(signed_in.body.contains("Sign out"));
}
