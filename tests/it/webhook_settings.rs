//! The optional settings of webhooks, end to end, on both databases.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    cluster::processes,
    support::{
        app::{Options, TestApp, eventually},
        free_port,
        nginx::Nginx,
        postgres,
        program::Program,
        receiver::{Receiver, Reply},
    },
};

/// Starts a server on each database.
async fn apps() -> [TestApp; 2] {
    let options = Options {
        arguments: vec![format!("--database-url={}", postgres::create_database().await)],
        ..Options::default()
    };
    [TestApp::start().await, TestApp::start_with(options).await]
}

/// Adds a webhook for `chat` with these settings.
async fn add(app: &TestApp, name: &str, url: &str, options: &Value) -> Value {
    let mut body = json!({ "name": name, "url": url, "events": ["chat"] });
    merge(&mut body, options);
    app.post("/api/v1/webhooks", body, StatusCode::CREATED).await
}

fn merge(body: &mut Value, options: &Value) {
    for (field, value) in options.as_object().unwrap() {
        body[field] = value.clone();
    }
}

fn path_of(webhook: &Value) -> String {
    format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap())
}

async fn publish(app: &TestApp, data: Value) -> Value {
    let body = json!({ "type": "chat", "data": data });
    app.post("/api/v1/events", body, StatusCode::ACCEPTED).await
}

/// Returns the options of a webhook as the API shows them.
fn options_of(webhook: &Value) -> Value {
    let names = [
        "description",
        "headers",
        "filter",
        "rate_limit",
        "timeout_seconds",
        "retries",
    ];
    let shown = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), webhook.get(name)?.clone())));
    Value::Object(shown.collect())
}

#[tokio::test]
async fn options_are_saved_changed_and_reset() {
    for app in apps().await {
        let options = json!({
            "description": "Owner: Zoë\nTeam: CRM",
            "headers": { "X-Tenant": "7", "Authorization": "Bearer abcdef" },
            "filter": { "any": [{ "field": "score", "op": "lt", "value": -0.50 }, { "all": [{ "field": "a", "op": "exists" }] }] },
            "rate_limit": 5,
            "timeout_seconds": 3,
            "retries": "short",
        });
        let webhook = add(&app, "all", "https://example.com/", &options).await;
        let mut shown = options.clone();
        shown["headers"] =
            json!([{ "name": "authorization", "set": true }, { "name": "x-tenant", "set": true }]);
        assert_eq!(options_of(&webhook), shown);
        let path = path_of(&webhook);
        assert_eq!(options_of(&app.get(&path).await), shown);
        // Other changes keep them.
        app.patch(&path, json!({ "name": "renamed" }), StatusCode::OK)
            .await;
        let change = json!({ "headers": { "x-TENANT": null, "x-new": "1" }, "rate_limit": 6 });
        let changed = app.patch(&path, change, StatusCode::OK).await;
        shown["headers"] =
            json!([{ "name": "authorization", "set": true }, { "name": "x-new", "set": true }]);
        shown["rate_limit"] = json!(6);
        assert_eq!(options_of(&changed), shown);
        let reset = json!({
            "description": null, "headers": null, "filter": null, "rate_limit": null, "timeout_seconds": null, "retries": null,
        });
        let webhook = app.patch(&path, reset, StatusCode::OK).await;
        assert_eq!(options_of(&webhook), json!({ "retries": "standard" }));

        let log = app.get("/api/v1/audit-log?action=webhook.updated").await;
        let entries = log["entries"].as_array().unwrap();
        let details = |index: usize| &entries[index]["details"];
        assert_eq!(
            details(0)["before"]["filter"],
            "score is less than -0.5 or (a exists)"
        );
        assert_eq!(details(0)["after"]["filter"], Value::Null);
        assert_eq!(
            details(1)["before"]["headers"],
            json!(["authorization", "x-tenant"])
        );
        assert_eq!(details(1)["after"]["headers"], json!(["authorization", "x-new"]));
        assert_eq!(details(1)["replaced_headers"], json!(["x-new"]));
        assert!(!log.to_string().contains("abcdef"));
    }
}

#[tokio::test]
async fn invalid_options_are_refused_by_field() {
    let app = TestApp::start().await;
    for (field, value, message) in [
        (
            "description",
            json!("x".repeat(501)),
            "Use at most 500 characters for the description.",
        ),
        (
            "headers",
            json!({ "Host": "x" }),
            "Remove the header host: Caleida or the connection sets it.",
        ),
        (
            "headers",
            json!({ "x-a": "1", "X-A": "2" }),
            "Remove one of the headers x-a: names must differ, also in more than case.",
        ),
        (
            "headers",
            json!({ "x-a": "a\nb" }),
            "Remove line breaks and other control characters from the value of the header x-a.",
        ),
        (
            "filter",
            json!({}),
            "A filter is an object with “all” or “any” and a list of conditions.",
        ),
        (
            "filter",
            json!({ "all": [{ "field": "a", "op": "like", "value": 1 }] }),
            "Condition 1: “like” is not an operator: use eq, ne, in, contains, gt, lt, exists or missing.",
        ),
        (
            "rate_limit",
            json!(1001),
            "Use a rate limit from 1 to 1,000 calls per second.",
        ),
        (
            "rate_limit",
            json!(0),
            "Use a rate limit from 1 to 1,000 calls per second.",
        ),
        (
            "timeout_seconds",
            json!(31),
            "Use a timeout from 1 to 30 seconds.",
        ),
        (
            "retries",
            json!("forever"),
            "Use standard, short or none for retries.",
        ),
    ] {
        let mut body = json!({ "name": "x", "url": "https://example.com/", "events": ["chat"] });
        body[field] = value;
        let problem = app
            .post("/api/v1/webhooks", body, StatusCode::UNPROCESSABLE_ENTITY)
            .await;
        let errors = json!([{ "field": field, "message": message }]);
        assert_eq!(problem["errors"], errors);
    }
    // A name without a saved value.
    let webhook = add(&app, "x", "https://example.com/", &json!({})).await;
    let body = json!({ "headers": { "x-a": "" } });
    let problem = app
        .patch(&path_of(&webhook), body, StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    assert_eq!(
        problem["errors"][0]["message"],
        "Enter a value for the header x-a."
    );
    let with_version =
        json!({ "name": "y", "url": "https://example.com/", "events": ["chat"], "version": 1 });
    app.post("/api/v1/webhooks", with_version, StatusCode::UNPROCESSABLE_ENTITY)
        .await;
}

#[tokio::test]
async fn headers_are_sent_with_every_call_and_shown_nowhere() {
    for app in apps().await {
        let receiver = Receiver::start().await;
        // Repeats the credentials, as an echo service does.
        let echo = Reply::full(
            500,
            &[("x-echo", "Bearer first-token")],
            r#"{"authorization":"Bearer first-token","x-tenant":"Zürich"}"#,
        );
        receiver.reply(echo.clone());
        let options = json!({ "headers": { "Authorization": "Bearer first-token", "x-tenant": "Zürich" } });
        let webhook = add(&app, "crm", &receiver.url("/"), &options).await;
        app.publish("chat").await;
        let calls = receiver.wait_for(2).await;
        for call in &calls {
            assert_eq!(call.header("authorization"), "Bearer first-token");
            assert_eq!(call.header("x-tenant"), "Zürich");
            assert!(call.is_signed_with(webhook["secret"].as_str().unwrap()));
        }
        let delivery = &app.wait_for("delivered", 1).await[0];
        let detail = app
            .get(&format!(
                "/api/v1/deliveries/{}",
                delivery["id"].as_str().unwrap()
            ))
            .await;
        let attempt = &detail["attempt_log"][0];
        assert_eq!(
            attempt["response_body"],
            r#"{"authorization":"[redacted]","x-tenant":"[redacted]"}"#
        );
        assert!(attempt.to_string().contains("[redacted]") && !detail.to_string().contains("first-token"));
        let shown = attempt["request_headers"].as_array().unwrap();
        assert!(
            shown.contains(&json!(["authorization", "[redacted]"])),
            "{shown:?}"
        );

        // The next attempt uses the new values. The others are kept.
        let change = json!({ "headers": { "authorization": "Basic c2Vjb25k" } });
        app.patch(&path_of(&webhook), change, StatusCode::OK).await;
        app.publish("chat").await;
        let call = receiver.wait_for(3).await.pop().unwrap();
        assert_eq!(call.header("authorization"), "Basic c2Vjb25k");
        assert_eq!(call.header("x-tenant"), "Zürich");

        // A test event has them too.
        receiver.reply(echo);
        let test = app
            .post(
                &format!("{}/test", path_of(&webhook)),
                json!({ "type": "chat" }),
                StatusCode::OK,
            )
            .await;
        let call = receiver.wait_for(4).await.pop().unwrap();
        assert_eq!(call.header("authorization"), "Basic c2Vjb25k");
        assert!(
            !test.to_string().contains("c2Vjb25k") && test.to_string().contains("[redacted]"),
            "{test}"
        );
    }
}

#[tokio::test]
async fn filter_decides_what_is_sent_and_explains_the_rest() {
    for app in apps().await {
        let receiver = Receiver::start().await;
        let filter = json!({ "all": [
            { "field": "channel", "op": "eq", "value": "email" },
            { "any": [{ "field": "score", "op": "lt", "value": -0.5 }, { "field": "tags", "op": "contains", "value": "vip" }] },
        ] });
        let webhook = add(
            &app,
            "filtered",
            &receiver.url("/filtered"),
            &json!({ "filter": filter }),
        )
        .await;
        let all = add(&app, "all", &receiver.url("/all"), &json!({})).await;
        let other = publish(&app, json!({ "channel": "phone", "score": -0.9 })).await;
        let near = publish(
            &app,
            json!({ "channel": "email", "score": -0.50, "tags": ["new"] }),
        )
        .await;
        let low = publish(&app, json!({ "channel": "email", "score": -0.500001 })).await;
        let vip = publish(&app, json!({ "channel": "email", "tags": ["vip"] })).await;
        let deliveries = [&other, &near, &low, &vip].map(|event| event["deliveries"].as_u64().unwrap());
        assert_eq!(deliveries, [1, 1, 2, 2]);
        let calls = receiver.wait_for(6).await;
        let mut filtered: Vec<_> = calls
            .iter()
            .filter(|call| call.path == "/filtered")
            .map(|call| call.header("webhook-id").to_owned())
            .collect();
        filtered.sort();
        let mut expected = [&low, &vip].map(|event| event["id"].as_str().unwrap().to_owned());
        expected.sort();
        assert_eq!(filtered, expected);
        let reason = async |event: &Value| {
            let detail = app
                .get(&format!("/api/v1/events/{}", event["id"].as_str().unwrap()))
                .await;
            detail["not_sent"][0].clone()
        };
        let explanation = |condition: &str| json!({ "webhook_id": webhook["id"], "reason": "filtered", "condition": condition });
        assert_eq!(reason(&other).await, explanation("channel is “email”"));
        let neither = explanation("score is less than -0.5 or tags contains “vip”");
        assert_eq!(reason(&near).await, neither);

        // A change applies to the next event. The past is explained by the filter of its time.
        let change = json!({ "filter": { "any": [{ "field": "channel", "op": "missing" }] } });
        app.patch(&path_of(&webhook), change, StatusCode::OK).await;
        let without = publish(&app, json!({})).await;
        let with = publish(&app, json!({ "channel": null })).await;
        assert_eq!(
            (&without["deliveries"], &with["deliveries"]),
            (&json!(2), &json!(1))
        );
        assert_eq!(reason(&with).await, explanation("channel does not exist"));
        assert_eq!(reason(&near).await, neither);
        app.patch(&path_of(&webhook), json!({ "filter": null }), StatusCode::OK)
            .await;
        assert_eq!(
            publish(&app, json!({ "channel": "phone" })).await["deliveries"],
            2
        );
        assert_eq!(reason(&near).await, neither);

        // A batch, and a repetition.
        app.patch(&path_of(&webhook), json!({ "filter": filter }), StatusCode::OK)
            .await;
        app.delete(&path_of(&all)).await;
        let events: Vec<_> = ["email", "phone", "email"]
            .iter()
            .map(|channel| json!({ "type": "chat", "id": format!("{channel}-1"), "data": { "channel": channel, "tags": ["vip"] } }))
            .collect();
        let batch = json!({ "events": events[..2] });
        let accepted = app
            .post("/api/v1/events/batch", batch, StatusCode::ACCEPTED)
            .await;
        let counts = |accepted: &Value| -> Vec<u64> {
            let events = accepted["events"].as_array().unwrap();
            events
                .iter()
                .map(|event| event["deliveries"].as_u64().unwrap())
                .collect()
        };
        assert_eq!(counts(&accepted), [1, 0]);
        let repeated = app
            .post("/api/v1/events", events[2].clone(), StatusCode::OK)
            .await;
        assert_eq!(repeated["deliveries"], 1);
    }
}

#[tokio::test]
async fn recovery_respects_the_filter_and_resend_does_not() {
    for app in apps().await {
        for n in 0..10 {
            publish(&app, json!({ "n": n })).await;
        }
        let receiver = Receiver::start().await;
        let filter = json!({ "all": [{ "field": "n", "op": "gt", "value": 6 }] });
        let webhook = add(&app, "late", &receiver.url("/"), &json!({ "filter": filter })).await;
        let recover = format!("{}/recover", path_of(&webhook));
        let range = "scope=missed&since=2026-01-01T00:00:00Z";
        assert_eq!(app.get(&format!("{recover}?{range}")).await["count"], 3);
        let body = json!({ "scope": "missed", "since": "2026-01-01T00:00:00Z" });
        app.post(&recover, body, StatusCode::ACCEPTED).await;
        let delivered = app.wait_for("delivered", 3).await;
        assert_eq!(receiver.wait_for(3).await.len(), 3);
        let nothing = json!({ "filter": { "all": [{ "field": "n", "op": "missing" }] } });
        app.patch(&path_of(&webhook), nothing, StatusCode::OK).await;
        let resend = format!(
            "/api/v1/deliveries/{}/resend",
            delivered[0]["id"].as_str().unwrap()
        );
        app.post(&resend, json!({}), StatusCode::ACCEPTED).await;
        receiver.wait_for(4).await;
    }
}

#[tokio::test]
async fn preview_shows_what_a_filter_would_have_sent() {
    for app in apps().await {
        let preview = async |events: Value, filter: Value| {
            let body = json!({ "events": events, "filter": filter });
            app.post("/api/v1/webhooks/preview-filter", body, StatusCode::OK)
                .await
        };
        let filter = json!({ "all": [{ "field": "n", "op": "lt", "value": 150 }] });
        let empty = preview(json!(["chat"]), filter.clone()).await;
        assert_eq!((&empty["examined"], &empty["matched"]), (&json!(0), &json!(0)));
        assert_eq!(empty["warnings"], json!(["The chosen events have no field n."]));
        let events: Vec<_> = (0..250)
            .map(|n| json!({ "type": "chat", "id": format!("n{n}"), "data": { "n": n } }))
            .collect();
        app.post(
            "/api/v1/events/batch",
            json!({ "events": events }),
            StatusCode::ACCEPTED,
        )
        .await;
        app.publish("message").await;
        // The newest 200 have n from 50 to 249.
        let shown = preview(json!(["chat"]), filter.clone()).await;
        assert_eq!(
            (&shown["examined"], &shown["matched"]),
            (&json!(200), &json!(100))
        );
        let ids = |list: &str| -> Vec<_> {
            let list = shown[list].as_array().unwrap();
            list.iter()
                .map(|event| event["id"].as_str().unwrap().to_owned())
                .collect()
        };
        assert!(ids("matching").contains(&"n50".to_owned()) && !ids("matching").contains(&"n49".to_owned()));
        assert!(ids("others").contains(&"n249".to_owned()));
        assert_eq!(shown["others"][0]["condition"], "n is less than 150");
        assert_eq!(shown["matching"][0].get("condition"), None);
        let both = preview(json!(["chat", "message"]), filter).await;
        assert_eq!((&both["examined"], &both["matched"]), (&json!(200), &json!(99)));
        let never = json!({ "all": [{ "field": "chat_id", "op": "eq", "value": 1 }, { "field": "chat_id", "op": "eq", "value": 2 }] });
        let warned = preview(json!(["message"]), never).await;
        assert_eq!(
            warned["warnings"],
            json!(["No event can match this filter: its conditions contradict each other."])
        );
    }
}

#[tokio::test]
async fn retries_and_timeout_apply_from_the_next_attempt() {
    for app in apps().await {
        let receiver = Receiver::start().await;
        receiver.reply_always(Reply::Status(500));
        let none = json!({ "retries": "none" });
        let webhook = add(&app, "once", &receiver.url("/"), &none).await;
        app.publish("chat").await;
        let failed = &app.wait_for("failed", 1).await[0];
        assert_eq!(failed["attempts"], 1);
        // The first retry of the short schedule is after 5 s, that of the server after 50 ms.
        app.patch(&path_of(&webhook), json!({ "retries": "short" }), StatusCode::OK)
            .await;
        let before = Instant::now();
        app.publish("chat").await;
        receiver.wait_for(2).await;
        app.wait_for_next_attempt(1).await;
        app.patch(
            &path_of(&webhook),
            json!({ "retries": "standard", "timeout_seconds": 1 }),
            StatusCode::OK,
        )
        .await;
        receiver.reply_always(Reply::Never);
        receiver.wait_for(3).await;
        assert!(
            before.elapsed() >= Duration::from_secs(4),
            "{:?}",
            before.elapsed()
        );
        // The second attempt has the new timeout, and the third follows the schedule of the server.
        receiver.wait_for(4).await;
        let failed = app.wait_for("failed", 2).await;
        let delivery = failed.iter().find(|delivery| delivery["attempts"] == 3).unwrap();
        let detail = app
            .get(&format!(
                "/api/v1/deliveries/{}",
                delivery["id"].as_str().unwrap()
            ))
            .await;
        assert_eq!(
            detail["attempt_log"][1]["detail"],
            "No complete response within 1 s"
        );
        // Longer than that of the server, which is 2 s.
        receiver.reply_always(Reply::Delayed(Duration::from_millis(2_500), 200));
        app.patch(
            &path_of(&webhook),
            json!({ "timeout_seconds": 30 }),
            StatusCode::OK,
        )
        .await;
        app.publish("chat").await;
        app.wait_for("delivered", 1).await;
    }
}

#[tokio::test]
async fn rate_limit_spreads_calls_and_loses_nothing() {
    for app in apps().await {
        let receiver = Receiver::start().await;
        let limited = add(
            &app,
            "limited",
            &receiver.url("/limited"),
            &json!({ "rate_limit": 20 }),
        )
        .await;
        add(&app, "free", &receiver.url("/free"), &json!({})).await;
        let events: Vec<_> = (0..41)
            .map(|n| json!({ "type": "chat", "data": { "n": n } }))
            .collect();
        let started = Instant::now();
        app.post(
            "/api/v1/events/batch",
            json!({ "events": events }),
            StatusCode::ACCEPTED,
        )
        .await;
        let calls = receiver.wait_for(82).await;
        let times = |path: &str| -> Vec<_> {
            let calls = calls.iter().filter(|call| call.path == path);
            calls.map(|call| call.at.duration_since(started)).collect()
        };
        let (limited_times, free) = (times("/limited"), times("/free"));
        assert_eq!((limited_times.len(), free.len()), (41, 41));
        // 40 intervals of 50 ms, of which one may be saved up.
        assert!(
            limited_times.iter().max().unwrap() >= &Duration::from_millis(1_900),
            "{limited_times:?}"
        );
        let spread = limited_times
            .iter()
            .filter(|at| **at < Duration::from_millis(900))
            .count();
        assert!(
            spread <= 20,
            "{spread} calls in the first 0.9 s: {limited_times:?}"
        );
        // A new limit applies to what waits.
        let path = path_of(&limited);
        app.patch(&path, json!({ "rate_limit": 1 }), StatusCode::OK).await;
        app.post(
            "/api/v1/events/batch",
            json!({ "events": events }),
            StatusCode::ACCEPTED,
        )
        .await;
        let mut browser = app.signed_in(crate::support::app::ADMIN).await;
        let page = eventually(|| async {
            let mut browser = browser.clone();
            let page = browser
                .get(&path.replace("/api/v1/webhooks", "/integrations/webhook"))
                .await
                .body;
            let has_waiting = !page.contains("Limited to 1 per second, 0 waiting");
            (page.contains("Limited to 1 per second, ") && has_waiting).then_some(())
        });
        page.await.expect("deliveries wait");
        app.patch(&path, json!({ "rate_limit": 1000 }), StatusCode::OK)
            .await;
        assert_eq!(receiver.wait_for(164).await.len(), 164);
        let page = browser
            .get(&path.replace("/api/v1/webhooks", "/integrations/webhook"))
            .await
            .body;
        assert!(page.contains("Limited to 1,000 per second, 0 waiting"), "{page}");
    }
}

#[tokio::test]
async fn three_processes_obey_the_settings_together() {
    let (_, programs) = processes(3).await;
    let receiver = Receiver::start().await;
    let apis: Vec<_> = programs.iter().map(Program::api).collect();
    let webhook = apis[0].add_webhook(&receiver.url("/")).await;
    let path = format!("webhooks/{}", webhook["id"].as_str().unwrap());
    let options = json!({
        "rate_limit": 30,
        "headers": { "authorization": "Bearer shared" },
        "filter": { "all": [{ "field": "n", "op": "lt", "value": 20 }] },
    });
    apis[1].change(Method::PATCH, &path, &options).await;
    let started = Instant::now();
    for n in 0..40 {
        for api in &apis {
            let body = json!({ "type": "chat", "data": { "n": n } });
            let call = api.call(Method::POST, "/api/v1/events");
            let response = call.body(body.to_string()).send().await.unwrap();
            let accepted: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
            assert_eq!(accepted["deliveries"], u64::from(n < 20));
        }
    }
    let calls = receiver.wait_for(60).await;
    let last = calls
        .iter()
        .map(|call| call.at.duration_since(started))
        .max()
        .unwrap();
    // 59 intervals of 33 ms, of which three may be saved up.
    assert!(last >= Duration::from_millis(1_850), "{last:?}");
    assert!(
        calls
            .iter()
            .all(|call| call.header("authorization") == "Bearer shared")
    );
    // Every process uses the new settings as soon as the change returns.
    apis[2]
        .change(
            Method::PATCH,
            &path,
            &json!({ "filter": null, "headers": { "authorization": "Bearer new" } }),
        )
        .await;
    for api in &apis {
        api.publish(&format!(
            "after-{}",
            api.address().replace(|c: char| !c.is_ascii_alphanumeric(), "-")
        ))
        .await
        .unwrap();
    }
    let calls = receiver.wait_for(63).await;
    assert!(
        calls[60..]
            .iter()
            .all(|call| call.header("authorization") == "Bearer new")
    );
}

#[tokio::test]
async fn nginx_with_credentials_and_rate_limit_gets_every_event_once() {
    let app = TestApp::start_with(Options {
        arguments: vec!["--retry-schedule=2s,2s,2s".to_owned()],
        ..Options::default()
    })
    .await;
    let port = free_port();
    // Without a burst, nginx refuses calls that are closer together than 50 ms.
    let server = format!(
        r#"limit_req_zone $server_name zone=calls:1m rate=20r/s;
        server {{
            listen 127.0.0.1:{port};
            limit_req zone=calls burst=3 nodelay;
            limit_req_status 429;
            location / {{
                if ($http_authorization != "Bearer nginx-token") {{ return 401; }}
                return 204;
            }}
        }}"#
    );
    let nginx = Nginx::start(port, &server).await;
    let url = format!("http://127.0.0.1:{port}/");
    let webhook = add(&app, "nginx", &url, &json!({ "retries": "none" })).await;
    app.publish("chat").await;
    let refused = &app.wait_for("failed", 1).await[0];
    assert_eq!(refused["last_result"], "401");
    let options = json!({ "headers": { "authorization": "Bearer nginx-token" }, "rate_limit": 15 });
    app.patch(&path_of(&webhook), options, StatusCode::OK).await;
    let events: Vec<_> = (0..30)
        .map(|n| json!({ "type": "chat", "data": { "n": n } }))
        .collect();
    app.post(
        "/api/v1/events/batch",
        json!({ "events": events }),
        StatusCode::ACCEPTED,
    )
    .await;
    app.wait_for("delivered", 30).await;
    let statuses = nginx.wait_for_requests(31).await;
    assert_eq!(
        statuses.iter().filter(|line| line.contains(" 204 ")).count(),
        30,
        "{statuses:?}"
    );
}
