//! `caleida copy` between SQLite and PostgreSQL.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use crate::support::{
    app::{ADMIN, PASSWORD, eventually},
    postgres,
    program::Program,
    receiver::{Receiver, Reply},
};

/// Tables that are not copied: files of the program, running processes, applied migrations and recently submitted forms.
const NOT_COPIED: [&str; 5] = [
    "assets",
    "processes",
    "invalidations",
    "_sqlx_migrations",
    "submitted_forms",
];

#[tokio::test]
async fn copy_to_postgresql_and_back_preserves_everything() {
    let receiver = Receiver::start().await;
    let mut program = Program::start(&[
        ("CALEIDA_ADMIN_PASSWORD", PASSWORD),
        ("CALEIDA_RETRY_SCHEDULE", "3s,3s,3s"),
    ])
    .await;
    let secret = fill(&program, &receiver).await;
    program.kill();

    let original = format!("sqlite://{}", program.folder().join("data/caleida.db").display());
    // An interrupted fan-out, which has reached the only webhook.
    run(
        &original,
        "insert into fan_outs (account_id, event_key, reached)
             select account_id, key, (select id from webhooks) from events where id = 'first'",
    )
    .await;
    // PostgreSQL cannot store NUL, so the copy replaces it.
    let set_subject =
        |character: &str| format!("update audit_log set subject = 'before' || {character} || 'after'");
    run(&original, &set_subject("char(65533)")).await;
    let expected = rows_of(&original).await;
    run(&original, &set_subject("char(0)")).await;

    let database = postgres::create_database().await;
    let output = program.run(&["copy", "--from", &original, "--to", &database]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    for (table, rows) in &expected {
        let line = format!("{:>12}  {table}", rows.len());
        assert!(stdout.contains(&line), "{line} is not in\n{stdout}");
    }
    assert!(
        output.stderr.is_empty(),
        "no progress bar without a terminal: {output:?}"
    );

    let back = format!("sqlite://{}", program.folder().join("back.db").display());
    program.run(&["copy", "--from", &database, "--to", &back]);
    let returned = rows_of(&back).await;
    for (table, rows) in &expected {
        assert_eq!(rows, &returned[table], "{table}");
    }

    // The server continues on the copy: it sends only the pending delivery, signed with the same secret.
    program.restart(&[("DATABASE_URL", &database)]).await;
    let delivered = eventually(|| async {
        let delivered = program.api().deliveries("delivered").await;
        (delivered.len() == 2).then_some(())
    });
    delivered.await.expect("the second event is delivered");
    let received = receiver.received();
    let ids: Vec<_> = received.iter().map(|call| call.header("webhook-id")).collect();
    assert_eq!(ids, ["first", "second", "second"]);
    assert!(received[2].is_signed_with(&secret));
    assert_eq!(received[2].header("authorization"), "Bearer copied");
    let response = program.api().publish("third").await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    receiver.wait_for(4).await;
}

/// Adds rows to every table: a successful delivery, a delivery with a failed attempt, a session, a login failure and an
/// invite. Returns the webhook's secret.
async fn fill(program: &Program, receiver: &Receiver) -> String {
    let api = program.api();
    for (password, status) in [
        (PASSWORD, StatusCode::SEE_OTHER),
        ("a guess", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let form = [("email", ADMIN), ("password", password)];
        assert_eq!(api.browser().post("/login", &form).await.status, status);
    }
    let webhook = api.add_webhook(&receiver.url("/")).await;
    let options = json!({
        "description": "Copied",
        "headers": { "authorization": "Bearer copied" },
        "filter": { "any": [{ "field": "n", "op": "missing" }, { "field": "n", "op": "gt", "value": -1 }] },
        "rate_limit": 1000,
        "timeout_seconds": 9,
        "retries": "standard",
    });
    let path = format!("webhooks/{}", webhook["id"].as_str().unwrap());
    api.change(Method::PATCH, &path, &options).await;
    api.publish("first").await.unwrap();
    receiver.wait_for(1).await;
    receiver.reply(Reply::full(500, &[("x-odd", "ü")], b"\x00\xff not text"));
    api.publish("second").await.unwrap();
    let recorded = eventually(|| async {
        let pending = api.deliveries("pending").await;
        (pending.first()?["attempts"] == 1).then_some(())
    });
    recorded.await.expect("the failed attempt is recorded");
    let path = format!("webhooks/{}/recover", webhook["id"].as_str().unwrap());
    let range = json!({ "scope": "failed", "since": "2026-01-01T00:00:00Z" });
    api.change(Method::POST, &path, &range).await;
    program.run(&["user", "invite", "--email", "ada@example.com", "--role", "viewer"]);
    webhook["secret"].as_str().unwrap().to_owned()
}

async fn run(database: &str, sql: &str) {
    let mut connection = SqliteConnection::connect(database).await.unwrap();
    sqlx::query(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// Returns every table to copy with its rows as SQL literals, and asserts that none is empty.
async fn rows_of(database: &str) -> BTreeMap<String, Vec<String>> {
    let mut connection = SqliteConnection::connect(database).await.unwrap();
    let names: Vec<String> = sqlx::query_scalar(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut tables = BTreeMap::new();
    for table in names {
        if NOT_COPIED.contains(&table.as_str()) {
            continue;
        }
        let columns: Vec<String> =
            sqlx::query_scalar("select 'quote(' || name || ')' from pragma_table_info($1) order by name")
                .bind(&table)
                .fetch_all(&mut connection)
                .await
                .unwrap();
        let sql = format!(
            "select {} as line from {table} order by line",
            columns.join(" || ', ' || ")
        );
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        assert!(
            !rows.is_empty(),
            "{table} is empty, so there is nothing to compare"
        );
        tables.insert(table, rows);
    }
    connection.close().await.unwrap();
    tables
}

#[tokio::test]
async fn copy_rejects_non_empty_target_and_missing_source() {
    let mut program = Program::start(&[]).await;
    program.kill();
    let url = |file: &str| format!("sqlite://{}", program.folder().join(file).display());
    let filled = url("data/caleida.db");
    let assert_rejected_with = |code: i32, from: &str, to: &str, message: &str| {
        let output = program.output(&["copy", "--from", from, "--to", to]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    };
    let assert_rejected = |from: &str, to: &str, message: &str| assert_rejected_with(1, from, to, message);

    assert_rejected(&filled, &filled, "--from and --to are the same database");
    let missing = "--from: there is no database at ";
    assert_rejected_with(2, &url("missing.db"), &url("new.db"), missing);
    for file in ["missing.db", "new.db"] {
        assert!(!program.folder().join(file).exists());
    }

    let database = postgres::create_database().await;
    program.run(&["copy", "--from", &filled, "--to", &database]);
    assert_rejected(
        &filled,
        &database,
        "the database is not empty, its table accounts has rows",
    );
    assert_rejected(
        &database,
        &filled,
        "the database is not empty, its table accounts has rows",
    );

    // A row that the target rejects makes the whole copy fail, so the target stays empty.
    run(
        &filled,
        "pragma foreign_keys = off; update api_keys set account_id = x'00'",
    )
    .await;
    let database = postgres::create_database().await;
    assert_rejected(&filled, &database, "--to: ");
    run(
        &filled,
        "update api_keys set account_id = (select id from accounts)",
    )
    .await;
    program.run(&["copy", "--from", &filled, "--to", &database]);
}
