//! Uses the whole product and searches everything it wrote or returned for secrets.

mod search;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use self::search::Search;
use crate::support::{
    app::eventually,
    browser::{Browser, Page},
    html::copyable,
    program::Program,
    receiver::{Receiver, Reply},
};

const OWN_SECRET: &str = "a+secret/of my own, äöü & <more>";
const HEADER: &str = "header+value/of=the API & <co>";
const TYPED_HEADER: &str = "typed+value/of=a header & <co>";
const PASSWORD: &str = "Pass+word/of=ada & <co>";
const WRONG_PASSWORD: &str = "a wrong/password+with signs";

/// Calls the API and adds the response to the search.
async fn call(
    search: &mut Search,
    program: &Program,
    key: &str,
    method: Method,
    path: &str,
    body: Value,
) -> Value {
    let (status, text) = program.api().send(method.clone(), path, key, &body).await;
    let id = path.split('/').find(|part| part.starts_with("wh_"));
    let place = format!(
        "{method} {}",
        id.map_or(path.to_owned(), |id| path.replace(id, "{id}"))
    );
    search.add(&place, &text);
    assert!(
        status.is_success() || status == StatusCode::UNAUTHORIZED,
        "{place}: {status} {text}"
    );
    serde_json::from_str(&text).unwrap_or_default()
}

/// Submits a form and adds the page to the search.
async fn submit(
    search: &mut Search,
    browser: &mut Browser,
    place: &str,
    path: &str,
    form: &[(&str, &str)],
) -> Page {
    let page = browser.post(path, form).await;
    search.add_page(place, &page);
    page
}

/// Calls server functions: rejected forms, and one that reveals a secret.
async fn call_functions(search: &mut Search, browser: &mut Browser, id: &str) {
    let actions = "/integrations/webhook/actions";
    let with_password = format!("https://ada:{WRONG_PASSWORD}@example.com/");
    for (place, path, form) in [
        (
            "the rejected call",
            format!("{actions}/add"),
            vec![("url", &*with_password), ("secret", OWN_SECRET)],
        ),
        (
            "the malformed call",
            format!("{actions}/edit"),
            vec![("id", id), ("version", WRONG_PASSWORD), ("secret", OWN_SECRET)],
        ),
        (
            "the rejected headers",
            format!("{actions}/edit"),
            vec![
                ("id", id),
                ("header_kind", "header"),
                ("header_name", "Host"),
                ("header_value", TYPED_HEADER),
            ],
        ),
        (
            "the check of a URL",
            format!("{actions}/check-url"),
            vec![("value", &*with_password)],
        ),
        (
            "the reveal by a script",
            format!("{actions}/reveal-secret"),
            vec![("id", id)],
        ),
        (
            "the rejected password change",
            "/settings/actions/change-password".to_owned(),
            vec![("old", WRONG_PASSWORD), ("new", OWN_SECRET)],
        ),
    ] {
        let page = submit(search, browser, place, &path, &form).await;
        let is_shown = place == "the reveal by a script";
        assert_eq!(
            page.status == StatusCode::OK,
            is_shown || place == "the check of a URL"
        );
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {value}"))
        .to_owned()
}

#[tokio::test]
async fn secrets_appear_only_where_requested() {
    let mut search = Search::default();
    let receiver = Receiver::start().await;
    let program = Program::start(&[
        ("RUST_LOG", "debug,caleida=trace"),
        ("CALEIDA_METRICS_LISTEN", "127.0.0.1:0"),
        ("CALEIDA_RETRY_SCHEDULE", "50ms"),
    ])
    .await;
    let printed = std::fs::read_to_string(program.folder().join("stdout")).unwrap();
    let value_after = |prefix: &str| {
        printed
            .lines()
            .find_map(|line| line.strip_prefix(prefix))
            .unwrap()
    };
    search.secret(
        "the first password",
        value_after("One-time password, shown only now: "),
    );
    search.add("the first start", &printed);
    let metrics = value_after("Metrics at ").to_owned();
    let master_key = std::fs::read_to_string(program.folder().join("data/master.key")).unwrap();
    search.secret("the master key", master_key.trim());

    // The command line.
    let scopes = "events:write,webhooks:read,webhooks:write,audit:read";
    let created = program.run(&["api-key", "create", "--name", "scenario", "--scope", scopes]);
    let key = String::from_utf8(created.stdout).unwrap().trim().to_owned();
    search.add("caleida api-key create", &key);
    search.secret("an API key", &key);
    search.secret("a password", PASSWORD);
    search.secret("a wrong password", WRONG_PASSWORD);
    search.secret("a custom secret", OWN_SECRET);
    search.secret("a header", HEADER);
    search.secret("a typed header", TYPED_HEADER);
    let ada = [
        "user",
        "add",
        "--email",
        "ada@example.com",
        "--role",
        "admin",
        "--password-stdin",
    ];
    let commands: [(&str, &[&str], &str); 7] = [
        ("caleida user add", &ada, PASSWORD),
        ("caleida user add, again", &ada, PASSWORD),
        (
            "caleida user set-password",
            &[
                "user",
                "set-password",
                "--email",
                "ada@example.com",
                "--password-stdin",
            ],
            PASSWORD,
        ),
        ("caleida user list", &["user", "list"], ""),
        (
            "caleida serve, with a bad key",
            &["serve", "--master-key", WRONG_PASSWORD],
            "",
        ),
        (
            "caleida serve, with a bad address",
            &["serve", "--listen", "nowhere", "--master-key", master_key.trim()],
            "",
        ),
        (
            "caleida verify",
            &[
                "verify",
                "--secret",
                OWN_SECRET,
                "--id",
                "1",
                "--timestamp",
                "1",
                "--signature",
                "v1,x",
            ],
            "{}",
        ),
    ];
    for (place, arguments, input) in commands {
        let output = program.output_with(arguments, input);
        search.add(place, output.stdout);
        search.add(place, output.stderr);
    }

    // The API.
    let new_webhook = json!({
        "name": "api",
        "url": receiver.url("/?token=in-the-query"),
        "events": ["chat"],
        "headers": { "authorization": format!("Bearer {HEADER}"), "x-other": HEADER },
        "filter": { "any": [{ "field": "x", "op": "missing" }] },
    });
    let webhook = call(
        &mut search,
        &program,
        &key,
        Method::POST,
        "/api/v1/webhooks",
        new_webhook,
    )
    .await;
    search.secret("a generated secret", &text(&webhook, "secret"));
    let path = format!("/api/v1/webhooks/{}", text(&webhook, "id"));
    call(
        &mut search,
        &program,
        &key,
        Method::GET,
        &format!("{path}/secret"),
        json!({}),
    )
    .await;
    receiver.reply(Reply::full(
        500,
        &[("x-echo", HEADER)],
        format!("Bearer {HEADER}"),
    ));
    receiver.reply(Reply::Reset);
    for event in ["one", "two"] {
        let event = json!({ "type": "chat", "id": event, "data": {} });
        call(&mut search, &program, &key, Method::POST, "/api/v1/events", event).await;
    }
    receiver.wait_for(3).await;
    receiver.reply(Reply::full(
        500,
        &[("x-echo", HEADER)],
        format!("Bearer {HEADER}"),
    ));
    call(
        &mut search,
        &program,
        &key,
        Method::POST,
        &format!("{path}/test"),
        json!({ "type": "chat" }),
    )
    .await;
    let rotated = call(
        &mut search,
        &program,
        &key,
        Method::POST,
        &format!("{path}/rotate-secret"),
        json!({}),
    )
    .await;
    search.secret("a rotated secret", &text(&rotated, "secret"));
    call(
        &mut search,
        &program,
        &key,
        Method::POST,
        "/api/v1/events",
        json!({ "type": "chat", "data": {} }),
    )
    .await;
    receiver.wait_for(5).await;
    for path in [
        "/api/v1/webhooks",
        &path,
        "/api/v1/events",
        "/api/v1/deliveries",
        "/api/v1/event-types",
    ] {
        call(&mut search, &program, &key, Method::GET, path, json!({})).await;
    }
    let delivery = eventually(|| async { program.api().deliveries("delivered").await.pop() })
        .await
        .unwrap();
    let shown = format!("/api/v1/deliveries/{}", text(&delivery, "id"));
    call(&mut search, &program, &key, Method::GET, &shown, json!({})).await;
    call(
        &mut search,
        &program,
        WRONG_PASSWORD,
        Method::GET,
        "/api/v1/webhooks",
        json!({}),
    )
    .await;

    // The dashboard.
    let mut browser = program.api().browser();
    let login = |password| [("email", "ada@example.com"), ("password", password)];
    submit(
        &mut search,
        &mut browser,
        "the rejected sign-in",
        "/login",
        &login(WRONG_PASSWORD),
    )
    .await;
    submit(
        &mut search,
        &mut browser,
        "the sign-in",
        "/login",
        &login(PASSWORD),
    )
    .await;
    let cookie = browser.cookie.clone().unwrap();
    search.secret("a session", cookie.split_once('=').unwrap().1);
    let url = receiver.url("/ui");
    let form = [
        ("url", url.as_str()),
        ("name", ""),
        ("secret", OWN_SECRET),
        ("events", "chat"),
        ("header_kind", "header"),
        ("header_name", "x-typed"),
        ("header_value", TYPED_HEADER),
    ];
    submit(
        &mut search,
        &mut browser,
        "the rejected form",
        "/integrations/webhook/new",
        &form,
    )
    .await;
    let form = [
        form[0],
        ("name", "page"),
        form[2],
        form[3],
        form[4],
        form[5],
        form[6],
    ];
    let added = submit(
        &mut search,
        &mut browser,
        "the added webhook",
        "/integrations/webhook/new",
        &form,
    )
    .await;
    assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.body);
    let list = call(
        &mut search,
        &program,
        &key,
        Method::GET,
        "/api/v1/webhooks",
        json!({}),
    )
    .await;
    let page = list["webhooks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|webhook| webhook["name"] == "page")
        .unwrap();
    let page = format!("/integrations/webhook/{}", text(page, "id"));
    submit(
        &mut search,
        &mut browser,
        "the reveal",
        &page,
        &[("do", "reveal")],
    )
    .await;
    call_functions(&mut search, &mut browser, page.rsplit('/').next().unwrap()).await;
    submit(
        &mut search,
        &mut browser,
        "the test",
        &format!("{page}/test"),
        &[("type", "chat")],
    )
    .await;
    let rotated = submit(
        &mut search,
        &mut browser,
        "the rotation",
        &page,
        &[("do", "rotate")],
    )
    .await;
    let start = rotated
        .body
        .find("whsec_")
        .expect("the page shows the new secret");
    let secret = &rotated.body[start..];
    let end = secret
        .find(|c: char| !c.is_ascii_alphanumeric() && !"_+/=".contains(c))
        .unwrap();
    search.secret("a secret rotated on the page", &secret[..end]);
    for path in [
        "/integrations/webhook",
        &page,
        &format!("{page}/deliveries"),
        &format!("{page}/delete"),
        "/integrations/webhook/new",
        "/integrations/webhook/deliveries",
        &format!("/integrations/webhook/deliveries/{}", text(&delivery, "id")),
        "/integrations/webhook/events",
        "/integrations/webhook/event-types",
        "/integrations/webhook/guide",
        "/integrations/webhook/nonsense",
        "/settings/account",
        "/settings/api-keys",
        "/settings/users",
        "/settings/audit-log",
        "/settings/audit-log/export",
        "/api/docs",
    ] {
        let page = browser.get(path).await;
        search.add_page(path, &page);
    }
    submit(
        &mut search,
        &mut browser,
        "the deletion",
        &format!("{page}/delete"),
        &[],
    )
    .await;
    let form = [("email", "carol@example.com"), ("role", "viewer")];
    let invited = submit(&mut search, &mut browser, "the invite", "/settings/users", &form).await;
    let link = copyable(&invited.body);
    let (_, token) = link.split_once("/invite/").expect("a link");
    search.secret("an invite", token);
    let link = format!("/invite/{token}");
    let mut guest = program.api().browser();
    let page = guest.get(&link).await;
    search.add_page("the invite page", &page);
    for (place, password) in [
        ("the invite page", "short"),
        ("the accepted invite", PASSWORD),
        ("the used invite", PASSWORD),
    ] {
        submit(&mut search, &mut guest, place, &link, &[("password", password)]).await;
    }
    submit(&mut search, &mut browser, "the sign-out", "/logout", &[]).await;

    for path in ["/api/v1/audit-log", "/api/v1/openapi.json"] {
        call(&mut search, &program, &key, Method::GET, path, json!({})).await;
    }
    search.add("the metrics", program.api().get_text(&metrics).await);
    let log = program.log();
    assert!(
        log.contains("TRACE") || log.contains("DEBUG"),
        "the log has no debug lines:\n{log}"
    );
    assert!(
        !log.contains("in-the-query"),
        "the log contains the query of a URL"
    );
    search.add("the log", log);
    search.add_folder(program.folder());
    search.check();
}
