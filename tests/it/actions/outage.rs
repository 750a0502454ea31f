//! Server functions and forms while the database is read-only or unavailable.

use std::time::Duration;

use reqwest::StatusCode;

use super::{
    ADD, LIST, NEW, ORDERS, assert_error, assert_is_function_response, assert_no_header_has,
    assert_redirects_to, call, value_of,
};
use crate::support::{
    app::{ADMIN, PASSWORD, eventually_within},
    browser::Browser,
    postgres::Server,
    program::Program,
};

/// Longer than the server takes to notice that the database is back.
const WAIT_TIMEOUT: Duration = Duration::from_secs(45);

async fn start(server: &Server) -> (Program, Browser) {
    let database = server.create_database().await;
    let settings = [
        ("DATABASE_URL", &*database),
        ("CALEIDA_ADMIN_PASSWORD", PASSWORD),
        ("RUST_LOG", "caleida=debug"),
    ];
    let program = Program::start(&settings).await;
    let mut browser = program.api().browser();
    let form = [("email", ADMIN), ("password", PASSWORD)];
    let page = browser.post("/login", &form).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    (program, browser)
}

#[tokio::test]
async fn read_only_database_returns_503_and_keeps_form_values() {
    let server = Server::start().await;
    let (program, mut browser) = start(&server).await;
    server
        .run("alter system set default_transaction_read_only = on")
        .await;
    server.run("select pg_reload_conf()").await;
    let refused = eventually_within(WAIT_TIMEOUT, || async {
        (program.api().status("/readyz").await == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    });
    refused.await.expect("the server notices that it cannot write");

    let response = call(&mut browser, ADD, &ORDERS).await;
    let json = assert_error(&response, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    let message = "This is not possible at the moment. Your input is kept: try again soon.";
    assert_eq!(json["message"], message);
    let page = browser.post(NEW, &ORDERS).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.body.contains(message), "{}", page.body);
    assert_eq!(value_of(&page, "url"), ORDERS[0].1);
    assert_eq!(value_of(&page, "secret"), ORDERS[2].1);

    server
        .run("alter system reset default_transaction_read_only")
        .await;
    server.run("select pg_reload_conf()").await;
    let ready = eventually_within(WAIT_TIMEOUT, || async {
        (program.api().status("/readyz").await == StatusCode::OK).then_some(())
    });
    ready.await.expect("the server is ready again");
    // The failed attempts stored nothing, so the name is free.
    assert_redirects_to(&call(&mut browser, ADD, &ORDERS).await, LIST);
    for (name, value) in ORDERS.iter().take(3) {
        assert!(!program.log().contains(value), "{name} is in the log");
    }
}

#[tokio::test]
async fn server_function_returns_503_json_without_database() {
    let mut server = Server::start().await;
    let (program, mut browser) = start(&server).await;
    server.command("stop");
    let response = browser.post(ADD, &ORDERS).await;
    assert_is_function_response(&response, ADD);
    assert_error(&response, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    assert!(response.headers.contains_key("retry-after"));
    let page = browser.post(NEW, &ORDERS).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.headers.contains_key("retry-after"));
    assert!(page.body.contains("Temporarily unavailable"), "{}", page.body);
    for response in [response, page] {
        for (name, value) in ORDERS.iter().take(3) {
            assert_no_header_has(&response, name, value);
            assert!(!program.log().contains(value), "{name} is in the log");
        }
    }
}
