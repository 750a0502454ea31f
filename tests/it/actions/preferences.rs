//! Preferences in cookies, and redirects back to the previous page.

use reqwest::{StatusCode, header};

use super::{ADD, DELETE, EDIT, Fixture, LIST, ORDERS, assert_redirects_to, call};
use crate::support::browser::Page;

const THEME: &str = "/settings/actions/set-theme";
const TIME_ZONE: &str = "/settings/actions/set-time-zone";

/// Returns the cookie with this name that the page sets.
fn cookie(page: &Page, name: &str) -> String {
    let cookies = page.headers.get_all(header::SET_COOKIE).iter();
    let mut cookies = cookies.map(|cookie| cookie.to_str().unwrap());
    let start = format!("{name}=");
    let cookie = cookies.find(|cookie| cookie.starts_with(&start));
    cookie.unwrap_or_else(|| panic!("no {name} is set")).to_owned()
}

#[tokio::test]
async fn theme_and_time_zone_are_stored_in_cookies() {
    let fixture = &mut Fixture::start().await;
    let back = "/settings/account";
    for (function, page, field, name, value) in [
        (THEME, "/theme", ("theme", "dark"), "theme", "dark"),
        // An unknown theme falls back to the system's.
        (THEME, "/theme", ("theme", "purple"), "theme", "system"),
        (
            TIME_ZONE,
            "/settings/time-zone",
            ("zone", "Europe/Berlin"),
            "chosen-zone",
            "Europe/Berlin",
        ),
        // An empty or unknown zone falls back to the browser's.
        (TIME_ZONE, "/settings/time-zone", ("zone", ""), "chosen-zone", ""),
        (
            TIME_ZONE,
            "/settings/time-zone",
            ("zone", "Nowhere/At all"),
            "chosen-zone",
            "",
        ),
    ] {
        let form = [field, ("back", back)];
        let response = fixture.browser.post(function, &form).await;
        assert_redirects_to(&response, back);
        assert_eq!(response.headers["cache-control"], "no-store");
        let posted = fixture.browser.post(page, &form).await;
        assert_eq!(
            (posted.status, posted.location.as_deref()),
            (StatusCode::SEE_OTHER, Some(back)),
            "{page}"
        );
        let set = [cookie(&response, name), cookie(&posted, name)];
        assert_eq!(set[0], set[1]);
        let age = if value.is_empty() { 0 } else { 365 * 24 * 60 * 60 };
        assert!(set[0].starts_with(&format!("{name}={value};")), "{}", set[0]);
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", &format!("Max-Age={age}")] {
            assert!(set[0].contains(attribute), "{}", set[0]);
        }
    }
}

/// Paths that a browser could interpret as another site.
const OTHER_SITES: [&str; 9] = [
    "//evil.example",
    "https://evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/a\r\nset-cookie: b=c",
    "evil.example",
    "",
];

#[tokio::test]
async fn back_never_redirects_to_another_site() {
    let fixture = &mut Fixture::start().await;
    for back in OTHER_SITES {
        let form = [("theme", "dark"), ("back", back)];
        assert_redirects_to(&fixture.browser.post(THEME, &form).await, LIST);
        let posted = fixture.browser.post("/theme", &form).await;
        assert_eq!(posted.location.as_deref(), Some(LIST), "{back:?}");
        let form = [("zone", "Europe/Berlin"), ("back", back)];
        assert_redirects_to(&fixture.browser.post(TIME_ZONE, &form).await, LIST);
        let posted = fixture.browser.post("/settings/time-zone", &form).await;
        assert_eq!(posted.location.as_deref(), Some(LIST), "{back:?}");
        let form = [
            ("id", &*fixture.id),
            ("back", back),
            ("url", "https://example.com/orders"),
            ("name", "Orders"),
            ("events", "chat"),
        ];
        assert_redirects_to(&fixture.browser.post(EDIT, &form).await, LIST);
        let posted = fixture.browser.post(&fixture.page, &form).await;
        assert_eq!(posted.location.as_deref(), Some(LIST), "{back:?}");
        assert!(!posted.headers.contains_key("set-cookie"), "{back:?}");
        let page = fixture
            .browser
            .get(&format!(
                "/settings/time-zone?back={}",
                url::form_urlencoded::byte_serialize(back.as_bytes()).collect::<String>()
            ))
            .await;
        if page.status == StatusCode::OK {
            // The first one belongs to the theme form.
            assert_eq!(page.all_hidden("back").pop().as_deref(), Some(LIST), "{back:?}");
        }
    }
}

#[tokio::test]
async fn delete_redirects_to_list_given_in_form() {
    let fixture = &mut Fixture::start().await;
    let back = "/integrations/webhook?q=orders&status=active";
    let page = fixture
        .browser
        .post(&format!("{}/delete", fixture.page), &[("back", back)])
        .await;
    assert_eq!(
        (page.status, page.location.as_deref()),
        (StatusCode::SEE_OTHER, Some(back))
    );
    for back in ["//evil.example", back] {
        assert_redirects_to(&call(&mut fixture.browser, ADD, &ORDERS).await, LIST);
        let list = fixture.app.get("/api/v1/webhooks").await;
        let id = list["webhooks"][0]["id"].as_str().unwrap();
        let response = fixture.browser.post(DELETE, &[("id", id), ("back", back)]).await;
        assert_redirects_to(&response, if back.starts_with("//") { LIST } else { back });
    }
}
