//! The dashboard behind a proxy: nginx with its defaults, and nginx and Caddy as the operations guide recommends.

use caleida::domain::Role;
use reqwest::{Method, StatusCode, header};
use serde_json::json;

use crate::support::{
    app::{ADMIN, Options, PASSWORD, TestApp, eventually},
    browser::{Browser, Page},
    event_source::EventSource,
    program::Program,
    proxy::{Front, Proxy, Proxying, Scheme},
};

const CREDENTIALS: [(&str, &str); 2] = [("email", ADMIN), ("password", PASSWORD)];
const LIVE: &str = "/integrations/webhook/deliveries/live";
const USERS: &str = "/settings/users";

const SCHEMES: [Scheme; 2] = [Scheme::Http, Scheme::Https];

/// Returns every proxy over every scheme.
fn setups() -> impl Iterator<Item = (Proxying, Scheme)> {
    let over = |proxying| SCHEMES.map(|scheme| (proxying, scheme));
    Proxying::ALL.into_iter().flat_map(over)
}

/// Starts a server and a proxy in front of it.
async fn start(proxying: Proxying, scheme: Scheme, has_public_url: bool) -> (TestApp, Proxy) {
    let front = Front::reserve(scheme);
    let mut arguments = Vec::new();
    if has_public_url {
        arguments.push(format!("--public-url={}", front.origin()));
    }
    if proxying != Proxying::NginxDefaults {
        arguments.push("--trusted-proxies=127.0.0.0/8".to_owned());
    }
    let options = Options {
        arguments,
        ..Options::default()
    };
    let app = TestApp::start_with(options).await;
    let upstream = app.server().address.to_string();
    let proxy = front.start(proxying, &upstream).await;
    (app, proxy)
}

async fn sign_in(browser: &mut Browser, headers: &[(&str, &str)]) -> Page {
    browser.post_with("/login", &CREDENTIALS, headers).await
}

#[tokio::test]
async fn forms_of_public_url_work_behind_any_proxy() {
    for (proxying, scheme) in setups() {
        let (_app, proxy) = start(proxying, scheme, true).await;
        // Browsers send `Sec-Fetch-Site` only to https and loopback.
        let mut browser = proxy.browser();
        let page = sign_in(&mut browser, &[("origin", &proxy.origin)]).await;
        assert_eq!(
            page.status,
            StatusCode::SEE_OTHER,
            "{proxying:?} {scheme:?}: {}",
            page.body
        );
        let theme = [("theme", "dark"), ("back", "/settings/account")];
        let page = browser
            .post_with("/theme", &theme, &[("origin", &proxy.origin)])
            .await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{proxying:?} {scheme:?}");
        let port = proxy.origin.rsplit(':').next().unwrap();
        for foreign in [
            "https://evil.example",
            "http://127.0.0.1",
            "http://127.0.0.1:1",
            &format!("http://evil.example:{port}"),
            "null",
        ] {
            for headers in [
                &[("origin", foreign)][..],
                &[("origin", foreign), ("sec-fetch-site", "cross-site")],
                &[("origin", foreign), ("sec-fetch-site", "same-site")],
            ] {
                let page = sign_in(&mut proxy.browser(), headers).await;
                assert_eq!(
                    page.status,
                    StatusCode::FORBIDDEN,
                    "{proxying:?} {scheme:?}: {headers:?}"
                );
                let page = browser.post_with("/theme", &theme, headers).await;
                assert_eq!(
                    page.status,
                    StatusCode::FORBIDDEN,
                    "{proxying:?} {scheme:?}: {headers:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn forms_work_without_public_url_if_the_proxy_keeps_the_address() {
    for proxying in Proxying::RECOMMENDED {
        for scheme in SCHEMES {
            let (_app, proxy) = start(proxying, scheme, false).await;
            let page = sign_in(&mut proxy.browser(), &[("origin", &proxy.origin)]).await;
            assert_eq!(
                page.status,
                StatusCode::SEE_OTHER,
                "{proxying:?} {scheme:?}: {}",
                page.body
            );
        }
    }
    // Over https, the browser says which site sent the request.
    let (_app, proxy) = start(Proxying::NginxDefaults, Scheme::Https, false).await;
    let headers = [("origin", &*proxy.origin), ("sec-fetch-site", "same-origin")];
    let page = sign_in(&mut proxy.browser(), &headers).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    // Over http, only the origin remains, and nginx replaces `Host` by the address of Caleida.
    let (_app, proxy) = start(Proxying::NginxDefaults, Scheme::Http, false).await;
    let page = sign_in(&mut proxy.browser(), &[("origin", &proxy.origin)]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.body.contains("CALEIDA_PUBLIC_URL"), "{}", page.body);
}

#[tokio::test]
async fn rejected_request_logs_both_origins_and_the_setting() {
    let program = Program::start(&[("CALEIDA_ADMIN_PASSWORD", PASSWORD)]).await;
    let (api, mut browser) = (program.api(), program.api().browser());
    let own = format!("http://{}", api.address());
    for (host, origin) in [
        // nginx's `$host` drops the port, and its default is the address of the upstream.
        ("192.168.1.5", "http://192.168.1.5:8080"),
        ("upstream", "http://hooks.internal"),
    ] {
        let headers = [("host", host), ("origin", origin)];
        let page = sign_in(&mut browser, &headers).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{host}");
        assert!(!page.body.contains("Another site"), "{}", page.body);
        // Another thread writes the log.
        let logged = eventually(|| async {
            let log = program.log();
            let line = log.lines().find(|line| line.contains(origin));
            line.map(str::to_owned)
        });
        let line = logged
            .await
            .unwrap_or_else(|| panic!("{origin} is not in {}", program.log()));
        for part in [&format!("\"http://{host}\""), "set CALEIDA_PUBLIC_URL"] {
            assert!(line.contains(part), "{line}");
        }
    }
    let page = sign_in(&mut browser, &[("origin", &own)]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn only_trusted_proxies_can_report_the_host() {
    for (trusted, expected) in [
        ("127.0.0.0/8", StatusCode::SEE_OTHER),
        ("10.0.0.0/8", StatusCode::FORBIDDEN),
    ] {
        let app = TestApp::start_with(Options {
            arguments: vec![format!("--trusted-proxies={trusted}")],
            ..Options::default()
        })
        .await;
        let origin = ("origin", "https://hooks.example.com");
        let (proto, host) = (
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "hooks.example.com"),
        );
        let page = sign_in(&mut app.browser(), &[origin, proto, host]).await;
        assert_eq!(page.status, expected, "{trusted}");
        for others in [
            [("origin", "https://evil.example"), proto, host],
            [
                ("origin", "http://hooks.example.com"),
                proto,
                ("x-forwarded-host", "hooks.example.com:8080"),
            ],
        ] {
            let page = sign_in(&mut app.browser(), &others).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{others:?}");
        }
        // A proxy that reports less than it passes on does not harm.
        let own = app.url("");
        let headers = [("origin", &*own), ("x-forwarded-host", "127.0.0.1")];
        let page = sign_in(&mut app.browser(), &headers).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{trusted}");
    }
}

#[tokio::test]
async fn live_pages_update_through_proxies() {
    for (proxying, scheme) in setups() {
        let (app, proxy) = start(proxying, scheme, true).await;
        let mut browser = proxy.browser();
        sign_in(&mut browser, &[]).await;
        let mut source = EventSource::open(&browser, LIVE);
        source.poll_until(&["No deliveries yet"]).await;
        app.add_webhook("orders", "https://127.0.0.1:1/", &["chat"]).await;
        let event = app.publish("chat").await;
        source.poll_until(&[event["id"].as_str().unwrap()]).await;
    }
}

#[tokio::test]
async fn login_page_explains_refused_cookie() {
    for proxying in Proxying::ALL {
        let (https, http) = (Front::reserve(Scheme::Https), Front::reserve(Scheme::Http));
        let app = TestApp::start_with(Options {
            arguments: vec![format!("--public-url={}", https.origin())],
            ..Options::default()
        })
        .await;
        app.add_user("ada@example.com", Role::Viewer).await;
        let upstream = app.server().address.to_string();
        let secure = https.start(proxying, &upstream).await;
        let plain = http.start(proxying, &upstream).await;
        let login = "/login?next=%2Fsettings%2Faccount";
        // Over http, a browser drops the cookie.
        let mut browser = plain.browser();
        let page = browser.post(login, &CREDENTIALS).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        assert!(page.set_cookie.unwrap().contains("Secure"));
        browser.cookie = None;
        let mut location = page.location;
        let mut page = None;
        while let Some(path) = location.take() {
            let next = browser.get(&path).await;
            location.clone_from(&next.location);
            page = Some(next);
        }
        let page = page.unwrap();
        assert_eq!(page.status, StatusCode::OK);
        for part in [
            "did not keep the session cookie",
            &format!("href=\"{}{login}\"", https.origin()),
        ] {
            assert!(page.body.contains(part), "{part}: {}", page.body);
        }
        // Over https, the user gets to the page.
        let mut browser = secure.browser();
        let page = browser.post(login, &CREDENTIALS).await;
        let page = browser.get(&page.location.unwrap()).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        assert_eq!(page.location.as_deref(), Some("/settings/account"));
        assert_eq!(browser.get("/settings/account").await.status, StatusCode::OK);
        // A user without a session sees no explanation.
        let page = plain.browser().get(login).await;
        assert!(!page.body.contains("session cookie"), "{}", page.body);
        let wrong = [("email", ADMIN), ("password", "wrong")];
        let page = plain
            .browser()
            .post(&format!("{login}&signed_in=1"), &wrong)
            .await;
        assert!(!page.body.contains("session cookie"), "{}", page.body);
    }
}

#[tokio::test]
async fn invited_user_with_refused_cookie_gets_the_same_explanation() {
    let app = TestApp::start_with(Options {
        arguments: vec!["--public-url=https://hooks.example.com".to_owned()],
        ..Options::default()
    })
    .await;
    let mut admin = app.signed_in(ADMIN).await;
    let link = invite(&mut admin, "ada@example.com", &[]).await;
    let path = link.strip_prefix("https://hooks.example.com").unwrap();
    let mut ada = app.browser();
    let page = ada.post(path, &[("password", "a long new password")]).await;
    ada.cookie = None;
    let page = ada.get(&page.location.unwrap()).await;
    assert!(
        page.body.contains("href=\"https://hooks.example.com/login\""),
        "{}",
        page.body
    );
}

/// Invites a user and returns the link on the page.
async fn invite(admin: &mut Browser, email: &str, headers: &[(&str, &str)]) -> String {
    let form = [("email", email), ("role", "viewer")];
    let page = admin.post_with(USERS, &form, headers).await;
    let end = page
        .body
        .find("/invite/")
        .unwrap_or_else(|| panic!("no link in {}", page.body));
    let start = page.body[..end].rfind('>').unwrap() + 1;
    let length = page.body[start..].find('<').unwrap();
    page.body[start..start + length].to_owned()
}

#[tokio::test]
async fn invite_link_uses_the_address_in_the_browser() {
    let app = TestApp::start_with(Options {
        arguments: vec!["--listen=0.0.0.0:0".to_owned()],
        ..Options::default()
    })
    .await;
    let port = app.server().address.port();
    let mut admin = Browser::new(
        caleida::delivery::sender::plain_client().unwrap(),
        format!("http://127.0.0.1:{port}"),
    );
    sign_in(&mut admin, &[]).await;
    for (email, headers, expected) in [
        (
            "a@example.com",
            vec![],
            format!("http://127.0.0.1:{port}/invite/"),
        ),
        (
            "b@example.com",
            vec![("host", "192.168.1.5:8080")],
            "http://192.168.1.5:8080/invite/".to_owned(),
        ),
        // nginx's defaults over https.
        (
            "c@example.com",
            vec![
                ("origin", "https://Hooks.example.com"),
                ("sec-fetch-site", "same-origin"),
            ],
            "https://hooks.example.com/invite/".to_owned(),
        ),
        // Not from a trusted proxy.
        (
            "d@example.com",
            vec![
                ("x-forwarded-host", "evil.example"),
                ("x-forwarded-proto", "https"),
            ],
            format!("http://127.0.0.1:{port}/invite/"),
        ),
        (
            "e@example.com",
            vec![("host", "0.0.0.0:3000")],
            format!("http://127.0.0.1:{port}/invite/"),
        ),
    ] {
        let link = invite(&mut admin, email, &headers).await;
        assert!(link.starts_with(&expected), "{email}: {link}");
    }
    let document = app.call(Method::GET, "/api/v1/openapi.json");
    let text = document.send().await.unwrap().text().await.unwrap();
    assert!(text.contains(&format!("http://127.0.0.1:{port}")) && !text.contains("0.0.0.0"));
}

#[tokio::test]
async fn recommended_proxies_report_the_address_in_the_browser() {
    for proxying in Proxying::RECOMMENDED {
        let (app, proxy) = start(proxying, Scheme::Https, false).await;
        let mut admin = proxy.browser();
        sign_in(&mut admin, &[]).await;
        let link = invite(&mut admin, "ada@example.com", &[]).await;
        let expected = format!("{}/invite/", proxy.origin);
        assert!(link.starts_with(&expected), "{proxying:?}: {link}");
        // A batch may be larger than the limit of nginx, which is 1 MiB.
        let text = "x".repeat(200 * 1024);
        let event = json!({ "type": "chat", "data": { "text": text } });
        let batch = json!({ "events": vec![event; 20] }).to_string();
        let key = app.key_with(&["events:write"]).await;
        let url = format!("{}/api/v1/events/batch", proxy.origin);
        let request = proxy.client.post(url).bearer_auth(key).body(batch);
        let response = request
            .header(header::CONTENT_TYPE, "application/json")
            .send()
            .await;
        assert_eq!(response.unwrap().status(), StatusCode::ACCEPTED, "{proxying:?}");
    }
}
