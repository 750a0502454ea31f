//! What a browser keeps in cookies, and where forms lead back to.

use reqwest::{StatusCode, header};

use super::{ADD, Bench, DELETE, EDIT, LIST, ORDERS, assert_leads_to, call};
use crate::support::browser::Page;

const THEME: &str = "/settings/actions/set-theme";
const TIME_ZONE: &str = "/settings/actions/set-time-zone";

/// The cookie of this name that is set.
fn cookie(page: &Page, name: &str) -> String {
    let cookies = page.headers.get_all(header::SET_COOKIE).iter();
    let mut cookies = cookies.map(|cookie| cookie.to_str().unwrap());
    let start = format!("{name}=");
    let cookie = cookies.find(|cookie| cookie.starts_with(&start));
    cookie.unwrap_or_else(|| panic!("no {name} is set")).to_owned()
}

#[tokio::test]
async fn theme_and_time_zone_are_kept_in_cookies_in_both_modes() {
    let bench = &mut Bench::start().await;
    let back = "/settings/account";
    for (function, page, field, name, value) in [
        (THEME, "/theme", ("theme", "dark"), "theme", "dark"),
        // What is unknown is as the system has it.
        (THEME, "/theme", ("theme", "purple"), "theme", "system"),
        (
            TIME_ZONE,
            "/settings/time-zone",
            ("zone", "Europe/Berlin"),
            "chosen-zone",
            "Europe/Berlin",
        ),
        // No zone, or none that there is: as the browser says.
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
        let answer = bench.browser.post(function, &form).await;
        assert_leads_to(&answer, back);
        assert_eq!(answer.headers["cache-control"], "no-store");
        let posted = bench.browser.post(page, &form).await;
        assert_eq!(
            (posted.status, posted.location.as_deref()),
            (StatusCode::SEE_OTHER, Some(back)),
            "{page}"
        );
        let set = [cookie(&answer, name), cookie(&posted, name)];
        assert_eq!(set[0], set[1]);
        let age = if value.is_empty() { 0 } else { 365 * 24 * 60 * 60 };
        assert!(set[0].starts_with(&format!("{name}={value};")), "{}", set[0]);
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", &format!("Max-Age={age}")] {
            assert!(set[0].contains(attribute), "{}", set[0]);
        }
    }
}

/// Paths that a browser could take for another site.
const ELSEWHERE: [&str; 9] = [
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
async fn back_leads_only_to_this_site() {
    let bench = &mut Bench::start().await;
    for back in ELSEWHERE {
        let form = [("theme", "dark"), ("back", back)];
        assert_leads_to(&bench.browser.post(THEME, &form).await, LIST);
        let posted = bench.browser.post("/theme", &form).await;
        assert_eq!(posted.location.as_deref(), Some(LIST), "{back:?}");
        let form = [("zone", "Europe/Berlin"), ("back", back)];
        assert_leads_to(&bench.browser.post(TIME_ZONE, &form).await, LIST);
        let posted = bench.browser.post("/settings/time-zone", &form).await;
        assert_eq!(posted.location.as_deref(), Some(LIST), "{back:?}");
        let form = [
            ("id", &*bench.id),
            ("back", back),
            ("url", "https://example.com/orders"),
            ("name", "Orders"),
            ("events", "chat"),
        ];
        assert_leads_to(&bench.browser.post(EDIT, &form).await, LIST);
        let posted = bench.browser.post(&bench.page, &form).await;
        assert_eq!(posted.location.as_deref(), Some(LIST), "{back:?}");
        assert!(!posted.headers.contains_key("set-cookie"), "{back:?}");
        let page = bench
            .browser
            .get(&format!(
                "/settings/time-zone?back={}",
                url::form_urlencoded::byte_serialize(back.as_bytes()).collect::<String>()
            ))
            .await;
        if page.status == StatusCode::OK {
            // The first is that of the theme.
            assert_eq!(page.all_hidden("back").pop().as_deref(), Some(LIST), "{back:?}");
        }
    }
}

#[tokio::test]
async fn deleting_returns_to_the_list_that_the_form_names_in_both_modes() {
    let bench = &mut Bench::start().await;
    let back = "/integrations/webhook?q=orders&status=active";
    let page = bench
        .browser
        .post(&format!("{}/delete", bench.page), &[("back", back)])
        .await;
    assert_eq!(
        (page.status, page.location.as_deref()),
        (StatusCode::SEE_OTHER, Some(back))
    );
    for back in ["//evil.example", back] {
        assert_leads_to(&call(&mut bench.browser, ADD, &ORDERS).await, LIST);
        let list = bench.app.get("/api/v1/webhooks").await;
        let id = list["webhooks"][0]["id"].as_str().unwrap();
        let answer = bench.browser.post(DELETE, &[("id", id), ("back", back)]).await;
        assert_leads_to(&answer, if back.starts_with("//") { LIST } else { back });
    }
}
