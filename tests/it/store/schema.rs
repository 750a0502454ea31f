//! What the migrations make: the same tables on both databases, and of an older database one that has lost nothing.

use std::{collections::BTreeSet, fs, path::Path};

use caleida::{
    domain::{
        AttemptDetail, DeliveryStatus, FailureReason, Outcome, Principal, Recovery, Timestamp, TlsTrouble,
        remedy::explanation,
    },
    store::{self, AuditFilter, DeliveryFilter, EventFilter, Leasing, NewEvent, Store, Submission},
};
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, SqlSafeStr, SqliteConnection,
    migrate::{Migration, MigrationType, Migrator},
};

use super::{postgres, sqlite};

/// `table.column kind`, with `not null` where it is; and `index: columns`.
type Schema = BTreeSet<String>;

#[tokio::test]
async fn both_databases_have_the_same_tables_and_indexes() {
    let (sqlite, postgres) = (
        sqlite::Database::create().await,
        postgres::Database::create().await,
    );
    for url in [&sqlite.url, &postgres.url] {
        store::open(url).await.unwrap();
    }
    let sqlite = schema_of_sqlite(&sqlite.url).await;
    let postgres = schema_of_postgres(&postgres.url).await;
    assert!(sqlite.len() > 100, "{sqlite:?}");
    let differences: Vec<_> = sqlite.symmetric_difference(&postgres).collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

async fn schema_of_sqlite(url: &str) -> Schema {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    let columns = "select t.name || '.' || c.name || ' ' || lower(c.type) ||
                       case when c.\"notnull\" or c.pk then ' not null' else '' end
                   from pragma_table_list t join pragma_table_info(t.name) c
                   where t.schema = 'main' and t.type = 'table' and t.name not like 'sqlite%' and t.name not like '_sqlx%'";
    let indexes = "select i.name || ': ' || group_concat(c.name, ', ') || case i.\"unique\" when 1 then ' unique' else '' end ||
                       case i.partial when 1 then ' partial' else '' end
                   from pragma_table_list t join pragma_index_list(t.name) i join pragma_index_info(i.name) c
                   where t.schema = 'main' and i.origin = 'c' group by i.name order by c.seqno";
    let mut schema = Schema::new();
    for sql in [columns, indexes] {
        let lines: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
        schema.extend(lines);
    }
    schema
}

async fn schema_of_postgres(url: &str) -> Schema {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let columns = "select table_name || '.' || column_name || ' ' ||
                       case data_type when 'bytea' then 'blob' when 'bigint' then 'integer' when 'boolean' then 'integer'
                           else data_type end ||
                       case is_nullable when 'NO' then ' not null' else '' end
                   from information_schema.columns where table_schema = 'public' and table_name not like '\\_sqlx%'";
    let indexes = "select c.relname || ': ' || string_agg(a.attname, ', ' order by k.n) ||
                       case when i.indisunique then ' unique' else '' end ||
                       case when i.indpred is not null then ' partial' else '' end
                   from pg_index i join pg_class c on c.oid = i.indexrelid
                   join pg_namespace s on s.oid = c.relnamespace and s.nspname = 'public'
                   cross join lateral unnest(i.indkey) with ordinality k (attnum, n)
                   join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
                   where not exists (select from pg_constraint where conindid = i.indexrelid)
                   group by c.relname, i.indisunique, i.indpred";
    let mut schema = Schema::new();
    for sql in [columns, indexes] {
        let lines: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
        schema.extend(lines);
    }
    schema
}

/// The newest migration of a database that is brought over.
const OLD: i64 = 14;

fn old_migrations(database: &str) -> Migrator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations")
        .join(database);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap()).collect();
    files.sort_by_key(fs::DirEntry::file_name);
    let migrations = files.into_iter().filter_map(|file| {
        let name = file.file_name().into_string().unwrap();
        let (version, description) = name.strip_suffix(".sql")?.split_once('_')?;
        let version: i64 = version.parse().unwrap();
        let sql = AssertSqlSafe(fs::read_to_string(file.path()).unwrap()).into_sql_str();
        let description = description.replace('_', " ").into();
        (version <= OLD).then(|| Migration::new(version, description, MigrationType::Simple, sql, false))
    });
    Migrator::with_migrations(migrations.collect())
}

/// The failures of attempts as the older version stored them, with the codes that replace their sentences.
const OLD_DETAILS: [(&str, &str, Option<TlsTrouble>); 20] = [
    (
        "tls",
        "The certificate has expired",
        Some(TlsTrouble::CertificateExpired),
    ),
    (
        "tls",
        "The certificate is not valid yet",
        Some(TlsTrouble::CertificateNotYetValid),
    ),
    (
        "tls",
        "The certificate is for another name",
        Some(TlsTrouble::WrongName),
    ),
    (
        "tls",
        "The certificate's issuer is not trusted",
        Some(TlsTrouble::UnknownIssuer),
    ),
    (
        "tls",
        "The certificate has been revoked",
        Some(TlsTrouble::CertificateRevoked),
    ),
    (
        "tls",
        "The certificate is not meant for servers",
        Some(TlsTrouble::NotForServers),
    ),
    (
        "tls",
        "The certificate cannot be read",
        Some(TlsTrouble::UnreadableCertificate),
    ),
    (
        "tls",
        "The certificate's signature is wrong",
        Some(TlsTrouble::WrongSignature),
    ),
    (
        "tls",
        "The certificate is self-signed, or not made for a server",
        Some(TlsTrouble::SelfSigned),
    ),
    (
        "tls",
        "The certificate is not acceptable",
        Some(TlsTrouble::UnacceptableCertificate),
    ),
    (
        "tls",
        "The receiver showed no certificate",
        Some(TlsTrouble::NoCertificate),
    ),
    (
        "tls",
        "The receiver does not speak TLS on this port",
        Some(TlsTrouble::NoTls),
    ),
    (
        "tls",
        "The receiver speaks only versions of TLS that are no longer safe",
        Some(TlsTrouble::OldVersion),
    ),
    (
        "tls",
        "The receiver and we have no kind of TLS in common",
        Some(TlsTrouble::NothingInCommon),
    ),
    (
        "tls",
        "The receiver speaks neither HTTP/1.1 nor HTTP/2",
        Some(TlsTrouble::NoHttp),
    ),
    (
        "tls",
        "The receiver closed the connection during the TLS handshake",
        Some(TlsTrouble::ClosedDuringHandshake),
    ),
    (
        "tls",
        "The TLS handshake failed",
        Some(TlsTrouble::HandshakeFailed),
    ),
    (
        "tls",
        "The receiver refused the TLS handshake (HandshakeFailure)",
        None,
    ),
    ("dns", "The certificate has expired", None),
    (
        "cancelled",
        "The webhook was deleted while this attempt was under way",
        None,
    ),
];

/// Rows of every table, as the older version wrote them. `bytes`: how the database writes a literal of two bytes.
fn old_rows(bytes: &str, no: &str) -> Vec<String> {
    let id = |prefix: &str, n: u32| format!("'{prefix}_0198{n:028x}'");
    let (account, user, key) = (id("acc", 1), id("usr", 2), id("key", 3));
    let (webhook, other) = (id("wh", 4), id("wh", 5));
    let mut rows = vec![
        format!("insert into accounts (id, name, created_at) values ({account}, 'default', 1)"),
        format!(
            "insert into users (id, account_id, email, password_hash, role, created_at)
             values ({user}, {account}, 'ada@example.com', 'hash', 'admin', 1)"
        ),
        format!(
            "insert into sessions (id_hash, data, expires_at, id, user_id, created_at, last_seen_at, address, user_agent)
             values ({bytes}, {bytes}, 9, {}, {user}, 1, 2, '::1', 'curl')",
            id("ses", 6)
        ),
        format!(
            "insert into invites (id, account_id, email, role, token_hash, created_at, created_by, expires_at)
             values ({}, {account}, 'bob@example.com', 'viewer', {bytes}, 1, 'ada@example.com', 9)",
            id("inv", 7)
        ),
        format!(
            "insert into api_keys (id, account_id, name, prefix, hash, scopes, created_at)
             values ({key}, {account}, 'deploy', 'cal_', {bytes}, 'events:publish', 1)"
        ),
        "insert into login_failures (key, failed_at) values ('ada', 1)".to_owned(),
        // The oldest entries have the prefix of events.
        format!(
            "insert into audit_log (id, account_id, actor, action, subject, at)
             values ({}, {account}, 'ada@example.com', 'webhook.created', {webhook}, 1),
                 ({}, {account}, 'API key “deploy”', 'api_key.created', {key}, 2),
                 ({}, {account}, 'Operator', 'user.added', {user}, 3),
                 ({}, {account}, 'Caleida', 'webhook.disabled', {webhook}, 4)",
            id("evt", 8),
            id("aud", 9),
            id("aud", 10),
            id("aud", 11)
        ),
    ];
    for (webhook, name, summary) in [(&webhook, "Orders", "Timed out"), (&other, "Invoices", "503")] {
        rows.push(format!(
            "insert into webhooks (id, account_id, name, url, events, state, last_attempt_at, last_attempt_summary,
                 last_attempt_succeeded, secret, secret_key_id, version, created_at, updated_at, updated_by)
             values ({webhook}, {account}, '{name}', 'https://example.com/', 'chat', 'active', 5, '{summary}', {no},
                 {bytes}, 'k1', 3, 1, 2, 'ada@example.com')"
        ));
        rows.push(format!("insert into webhook_hours values ({webhook}, 0, 2, 1)"));
        rows.push(format!(
            "insert into webhook_latencies values ({webhook}, 0, 20, 3)"
        ));
        rows.push(format!(
            "insert into webhook_history (webhook_id, since, state, events) values ({webhook}, 1, 'active', 'chat')"
        ));
    }
    for (n, name) in [(1, "evt_chosen"), (2, "b"), (3, "a")] {
        rows.push(format!(
            "insert into events (account_id, id, event_type, occurred_at, received_at, payload, fingerprint,
                 idempotency_key, delivery_count)
             values ({account}, '{name}', 'chat', {n}, {n}, {bytes}, {bytes}, 'key {n}', 1)"
        ));
    }
    for (n, event, status, lease, result) in [
        (0x10, "evt_chosen", "delivered", "null".to_owned(), "'200'"),
        (0x11, "b", "failed", "null".to_owned(), "'Could not connect'"),
        (0x12, "a", "pending", id("dlv", 0x99), "null"),
    ] {
        let attempts = u8::from(result != "null");
        rows.push(format!(
            "insert into deliveries (id, account_id, webhook_id, event_id, event_type, status, attempts,
                 next_attempt_at, lease, last_result, created_at, updated_at)
             values ({}, {account}, {webhook}, '{event}', 'chat', '{status}', {attempts}, 7, {lease}, {result}, 1, 8)",
            id("dlv", n)
        ));
    }
    rows.push(format!(
        "insert into attempts (id, delivery_id, number, started_at, duration_ms, url, status_code, request_headers,
             response_headers, response_body, response_truncated)
         values ({}, {}, 1, 3, 4, 'https://example.com/', 200, '[]', '[[\"a\",\"b\"]]', {bytes}, {no})",
        id("att", 0x20),
        id("dlv", 0x10)
    ));
    for (n, (failure, detail, _)) in (1..).zip(OLD_DETAILS) {
        let detail = detail.replace('\'', "''");
        rows.push(format!(
            "insert into attempts (id, delivery_id, number, started_at, duration_ms, url, failure, detail,
                 request_headers, response_headers, response_body, response_truncated)
             values ({}, {}, {n}, 3, 4, 'https://example.com/', '{failure}', '{detail}', '[]', '[]', {bytes}, {no})",
            id("att", 0x20 + n),
            id("dlv", 0x11)
        ));
    }
    rows.push(format!(
        "insert into recoveries (id, account_id, webhook_id, scope, since, until, state, reached_at, reached_id,
             recovered, created_at, created_by, updated_at)
         values ({}, {account}, {webhook}, 'failed', 1, 9, 'running', 2, 'b', 1, 1, 'ada@example.com', 1)",
        id("rcv", 0x30)
    ));
    rows
}

#[tokio::test]
async fn an_older_sqlite_database_is_brought_over() {
    let database = sqlite::Database::create().await;
    let url = format!("{}?mode=rwc", database.url);
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    old_migrations("sqlite").run(&mut connection).await.unwrap();
    for sql in old_rows("x'00ff'", "0") {
        sqlx::query(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
    assert_is_brought_over(&database.url).await;
}

#[tokio::test]
async fn an_older_postgres_database_is_brought_over() {
    let database = postgres::Database::create().await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    old_migrations("postgres").run(&mut connection).await.unwrap();
    for sql in old_rows("'\\x00ff'::bytea", "false") {
        sqlx::query(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
    assert_is_brought_over(&database.url).await;
}

async fn assert_is_brought_over(url: &str) {
    let store = store::open(url).await.unwrap();
    store.ready().await.unwrap();
    let [account] = &store.accounts().await.unwrap()[..] else {
        panic!("there is one account");
    };
    assert_eq!(account.as_str(), "acc_01980000000000000000000000000001");
    let person = store.person_by_email("ada@example.com").await.unwrap().unwrap();
    assert_eq!(person.user.id.as_str(), "usr_01980000000000000000000000000002");
    let sessions = store
        .user_sessions(&person.user.id, Timestamp::from_millis(0))
        .await
        .unwrap_err();
    // Its hash is no hash in this test, but it was found.
    assert_eq!(sessions.to_string(), "the database holds an invalid key");
    assert_eq!(store.invites(account).await.unwrap()[0].email, "bob@example.com");
    assert_eq!(store.api_keys(account).await.unwrap()[0].key.name, "deploy");

    let audit = AuditFilter {
        limit: 10,
        ..AuditFilter::default()
    };
    let entries = store.audit_log(account, &audit).await.unwrap().entries;
    let entries: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry.id.as_str(),
                &entry.actor,
                entry.subject_name.as_deref().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        entries,
        [
            (
                "aud_0198000000000000000000000000000b",
                &Principal::System,
                "Orders"
            ),
            (
                "aud_0198000000000000000000000000000a",
                &Principal::Operator,
                "ada@example.com"
            ),
            (
                "aud_01980000000000000000000000000009",
                &Principal::ApiKey("deploy".to_owned()),
                "deploy"
            ),
            (
                "aud_01980000000000000000000000000008",
                &Principal::User("ada@example.com".to_owned()),
                "Orders"
            )
        ]
    );

    let webhooks = store
        .list_webhooks(account, &store::WebhookFilter::default())
        .await;
    let outcomes: Vec<_> = webhooks
        .unwrap()
        .webhooks
        .into_iter()
        .map(|webhook| (webhook.name.to_string(), webhook.last_attempt.unwrap().outcome))
        .collect();
    let answered = |status| Outcome::Answered {
        status,
        retry_after: None,
    };
    assert_eq!(
        outcomes,
        [
            ("Invoices".to_owned(), answered(503)),
            ("Orders".to_owned(), Outcome::Failed(FailureReason::Timeout))
        ]
    );
    assert_deliveries_are_brought_over(&store, account).await;

    // What is new does not collide with what is there.
    let event = NewEvent {
        id: "new".parse().unwrap(),
        idempotency_key: None,
        event_type: caleida::domain::EventType::Chat,
        occurred_at: Timestamp::from_millis(5),
        payload: b"{}".as_slice().into(),
        fingerprint: [0; 32],
    };
    let submission = Submission {
        account_id: account.clone(),
        events: vec![event],
    };
    let now = Timestamp::from_millis(5);
    let accepted = store
        .accept_events(&[submission], now, Leasing::NONE)
        .await
        .unwrap();
    assert_eq!(accepted.answers[0].as_ref().unwrap()[0].deliveries, 2);
}

async fn assert_deliveries_are_brought_over(store: &Store, account: &caleida::domain::AccountId) {
    let filter = DeliveryFilter {
        limit: 10,
        ..DeliveryFilter::default()
    };
    let deliveries = store.list_deliveries(account, &filter).await.unwrap().deliveries;
    let shown: Vec<_> = deliveries
        .iter()
        .map(|delivery| (delivery.event_id.as_str(), delivery.status, delivery.last_outcome))
        .collect();
    assert_eq!(
        shown,
        [
            ("a", DeliveryStatus::Pending, None),
            (
                "b",
                DeliveryStatus::Failed,
                Some(Outcome::Failed(FailureReason::Connect))
            ),
            (
                "evt_chosen",
                DeliveryStatus::Delivered,
                Some(Outcome::Answered {
                    status: 200,
                    retry_after: None
                })
            ),
        ]
    );
    let oldest = store.delivery(account, &deliveries[2].id).await.unwrap().unwrap();
    assert_eq!(oldest.payload, [0, 255].as_slice());
    assert_eq!(oldest.attempts[0].response_body, [0, 255]);
    let failed = store.delivery(account, &deliveries[1].id).await.unwrap().unwrap();
    assert_eq!(failed.attempts.len(), OLD_DETAILS.len());
    for (attempt, (failure, sentence, trouble)) in failed.attempts.iter().zip(OLD_DETAILS) {
        assert_eq!(attempt.outcome, Outcome::Failed(failure.parse().unwrap()));
        let detail = match trouble {
            Some(trouble) => Some(AttemptDetail::Tls(trouble)),
            None if failure == "cancelled" => None,
            None => Some(AttemptDetail::Text(sentence.to_owned())),
        };
        assert_eq!(attempt.detail, detail);
        // It reads as before.
        let shown = explanation(attempt.outcome, attempt.detail.as_ref());
        assert_eq!(shown.as_deref(), Some(sentence));
    }
    let events = EventFilter {
        limit: 10,
        ..EventFilter::default()
    };
    let events = store.list_events(account, &events).await.unwrap().events;
    let ids: Vec<_> = events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "evt_chosen"]);
    let webhook = &deliveries[0].webhook_id;
    let recoveries: Vec<Recovery> = store.recoveries(account, webhook, None, 10).await.unwrap();
    assert_eq!(recoveries.len(), 1);
    let latencies = store.webhook_latencies(webhook, Timestamp::from_millis(0)).await;
    assert!(latencies.unwrap().percentile(50).is_some());
}
