//! PostgreSQL's plans with a large history: statements use indexes instead of sequential scans.
//!
//! The server logs the plan of each statement that the store runs (`auto_explain`).

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use caleida::{
    domain::{
        AccountId, Attempt, AttemptId, Clock, DeliveryStatus, EndpointUrl, EventId, EventType, Origin,
        Outcome, Principal, RecoveryScope, Timestamp, Transport, WebhookId,
    },
    server::clock::SystemClock,
    store::{
        self, AuditFilter, Change, Claim, DeliveryFilter, EventFilter, HeldAction, Leasing, NewEvent,
        NewWebhook, Next, RecordedAttempt, RecoveryRange, Retention, Sealed, Store, Submission,
    },
};

use crate::support::{
    postgres::{self, Server},
    stored::{accept_events, settings},
};

/// Rows of history in each table, and later of due deliveries. Enough for sequential scans to look expensive, and for a
/// claim to look as if it returned many rows.
const ROWS: usize = 100_000;

/// Runs of each statement; after five, PostgreSQL may switch a prepared statement to a generic plan.
const RUNS: usize = 8;

#[tokio::test]
async fn statements_find_rows_by_index() {
    let server = Server::start().await;
    let database = server.create_database().await;
    let (account, webhook) = fill(&database).await;
    for setting in [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
    ] {
        let name = database.rsplit('/').next().unwrap();
        server.run(&format!("alter database {name} set {setting}")).await;
    }

    let store = store::open(&database).await.unwrap();
    for run in 0..RUNS {
        deliver(&store, &account, run).await;
        query(&store, &account, &webhook).await;
    }
    let history_end = server.log().len();
    add_backlog(&database).await;
    let backlog_start = server.log().len();
    for run in 0..RUNS {
        deliver(&store, &account, run).await;
    }
    let log = server.log();
    let mut checked = BTreeSet::new();
    let entries = [&log[..history_end], &log[backlog_start..]].map(|log| log.split("Query Text: ").skip(1));
    for entry in entries.into_iter().flatten() {
        let plan = entry.split("\tQuery Text").next().unwrap();
        for table in ["events", "deliveries", "attempts", "audit_log"] {
            assert!(!plan.contains(&format!("Seq Scan on {table} ")), "{plan}");
            if plan.contains(&format!(" on {table} ")) {
                checked.insert(plan.split('\n').next().unwrap().to_owned());
            }
        }
    }
    assert!(
        checked.len() >= 19,
        "only {} statements were checked",
        checked.len()
    );
}

/// Adds one webhook with a history of successful deliveries.
async fn fill(database: &str) -> (AccountId, WebhookId) {
    let store = store::open(database).await.unwrap();
    let now = SystemClock.now();
    let account = store.ensure_account("tests", now).await.unwrap();
    let webhook = WebhookId::generate(now);
    store
        .insert_webhook(NewWebhook {
            change: Change {
                account_id: account.clone(),
                webhook_id: webhook.clone(),
                by: Principal::Operator,
                from: Origin::CommandLine,
                at: now,
            },
            settings: settings("history"),
            headers: None,
            secret: Sealed {
                key_id: "key".to_owned(),
                ciphertext: vec![0; 60],
            },
            max_webhooks: 1_000,
        })
        .await
        .unwrap();
    let id_of = |kind: &str| format!("decode('{kind}' || lpad(n::text, 30, '0'), 'hex')");
    let [account_key, webhook_key] = [account.to_key(), webhook.to_key()].map(bytes);
    let from = format!("from generate_series(1, {ROWS}) n");
    let at = format!("{} + n", now.as_millis() - 10_000_000);
    let (delivery, attempt, audit) = (id_of("00"), id_of("01"), id_of("02"));
    for sql in [
        format!(
            "insert into events (key, account_id, id, event_type, occurred_at, received_at, payload, fingerprint,
                 delivery_count)
             select n, {account_key}, 'evt_' || n, 'chat', {at}, {at}, '\\x7b7d', sha256(n::text::bytea), 1 {from}"
        ),
        format!(
            "insert into deliveries (id, account_id, webhook_id, event_key, event_type, status, attempts,
                 next_attempt_at, updated_at)
             select {delivery}, {account_key}, {webhook_key}, n, 'chat', 'delivered', 1, null, {at} {from}"
        ),
        format!(
            "insert into attempts (id, delivery_id, number, started_at, duration_ms, url, status_code,
                 request_headers, response_headers, response_body, response_truncated)
             select {attempt}, {delivery}, 1, {at}, 1, 'https://example.com/', 200, '', '', '', false {from}"
        ),
        // One user with nearly all entries, and one with few.
        format!(
            "insert into audit_log (id, account_id, actor, action, subject, at)
             select {audit}, {account_key}, case n % 1000 when 0 then 'user:bob' else 'user:ada' end,
                 case n % 997 when 0 then 'webhook.deleted' else 'webhook.updated' end, 'wh_' || n % 500, {at} {from}"
        ),
        format!("select setval('event_keys', {ROWS} + 1)"),
        "vacuum analyze".to_owned(),
    ] {
        postgres::run(database, &sql).await;
    }
    (account, webhook)
}

/// Returns the key as an SQL literal.
fn bytes(key: [u8; 16]) -> String {
    let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("'\\x{digits}'::bytea")
}

/// Adds a second webhook with a backlog: all deliveries of the first, due.
async fn add_backlog(database: &str) {
    let backlog = bytes(WebhookId::generate(SystemClock.now()).to_key());
    for sql in [
        &format!(
            "insert into webhooks (id, account_id, name, url, events, state, version, created_at, updated_at, updated_by)
             select {backlog}, account_id, 'backlog', url, events, state, version, created_at, updated_at, updated_by
             from webhooks"
        ),
        &format!(
            "insert into deliveries (id, account_id, webhook_id, event_key, event_type, status, attempts,
                 next_attempt_at, updated_at)
             select set_byte(id, 1, 255 - get_byte(id, 1)), account_id, {backlog}, event_key, event_type, 'pending', 0,
                 updated_at, updated_at
             from deliveries"
        ),
        "vacuum analyze",
    ] {
        postgres::run(database, sql).await;
    }
}

/// Runs all statements of deliveries: accept, claim, release, record.
async fn deliver(store: &Store, account: &AccountId, run: usize) {
    let now = SystemClock.now();
    let events = (0..20).map(|_| NewEvent {
        id: EventId::generate(now),
        idempotency_key: Some(EventId::generate(now).into()),
        event_type: EventType::Chat,
        occurred_at: now,
        payload: Bytes::from_static(b"{}"),
        fingerprint: [7; 32],
    });
    let submission = Submission {
        account_id: account.clone(),
        events: events.collect(),
    };
    let lease = Duration::from_secs(45);
    let leasing = Leasing {
        lease,
        limit: 10,
        capacity: &|_| 10,
    };
    let handed_off = accept_events(store, &[submission], now, leasing).await;
    store.next_due().await.unwrap();
    store.count_pending(1_000).await.unwrap();
    let claim = Claim {
        now,
        lease,
        limit: 100,
        capacity: &|_| 100,
        after: None,
    };
    let claimed = store.claim_due(claim).await.unwrap().deliveries;
    assert!(!claimed.is_empty(), "run {run}");
    let given_back: Vec<_> = claimed[..2]
        .iter()
        .map(|delivery| (delivery.id.clone(), delivery.lease.clone()))
        .collect();
    store.release(&given_back, now).await.unwrap();
    let attempts: Vec<_> = handed_off
        .claimed
        .into_iter()
        .chain(claimed.into_iter().skip(2))
        .map(|delivery| RecordedAttempt {
            id: AttemptId::generate(now),
            delivery_id: delivery.id,
            webhook_id: delivery.webhook_id,
            lease: delivery.lease,
            attempt: Attempt {
                number: 1,
                started_at: now,
                duration: Duration::from_millis(1),
                outcome: Outcome::Answered {
                    status: 200,
                    retry_after: None,
                },
                detail: None,
                url: EndpointUrl::parse("https://example.com/", Transport::HttpsOnly).unwrap(),
                request_headers: Vec::new(),
                response_headers: Vec::new(),
                response_body: Vec::new(),
                response_truncated: false,
            },
            next: Next::Delivered,
        })
        .collect();
    store.record_attempts(&attempts).await.unwrap();
}

/// Runs the statements of the dashboard, of retention, and of changes of webhooks.
async fn query(store: &Store, account: &AccountId, webhook: &WebhookId) {
    let delivered = DeliveryFilter {
        status: Some(DeliveryStatus::Delivered),
        limit: 50,
        ..DeliveryFilter::default()
    };
    for filter in [
        DeliveryFilter {
            limit: 50,
            ..DeliveryFilter::default()
        },
        DeliveryFilter {
            webhook_id: Some(webhook.clone()),
            ..delivered.clone()
        },
        delivered,
    ] {
        let page = store.of(account).list_deliveries(&filter).await.unwrap();
        let newest = page.deliveries[0].id.clone();
        store.of(account).delivery(&newest).await.unwrap().unwrap();
    }
    let rare = EventFilter {
        event_type: Some(EventType::Message),
        limit: 50,
        ..EventFilter::default()
    };
    let events = store
        .of(account)
        .list_events(&EventFilter {
            limit: 50,
            ..EventFilter::default()
        })
        .await;
    store.of(account).list_events(&rare).await.unwrap();
    store
        .of(account)
        .event(&events.unwrap().events[0].id)
        .await
        .unwrap();
    let missed = RecoveryRange {
        scope: RecoveryScope::Missed,
        since: SystemClock.now().minus(Duration::from_secs(9_000)),
        until: SystemClock.now(),
    };
    store.of(account).preview_recovery(webhook, missed).await.unwrap();
    store.of(account).open_deliveries(webhook).await.unwrap();
    let change = Change {
        account_id: account.clone(),
        webhook_id: webhook.clone(),
        by: Principal::Operator,
        from: Origin::CommandLine,
        at: SystemClock.now(),
    };
    query_audit_log(store, account).await;
    store.pause_webhook(&change).await.unwrap();
    store.resume_webhook(&change, HeldAction::Send).await.unwrap();
    let retention = Retention {
        account,
        before: Timestamp::from_millis(SystemClock.now().as_millis() - 9_990_000),
        after: None,
        limit: 100,
        at: SystemClock.now(),
    };
    store.delete_old_events(retention).await.unwrap();
}

/// Queries the audit log with each filter alone, and with combinations that have no common index.
async fn query_audit_log(store: &Store, account: &AccountId) {
    let all = AuditFilter {
        limit: 50,
        ..AuditFilter::default()
    };
    let bob = Principal::User("bob".to_owned());
    let (actor, action) = (Some(bob.clone()), Some("webhook.deleted".to_owned()));
    for filter in [
        all.clone(),
        AuditFilter {
            actor: actor.clone(),
            ..all.clone()
        },
        AuditFilter {
            action: action.clone(),
            ..all.clone()
        },
        AuditFilter {
            subject: Some("wh_7".to_owned()),
            ..all.clone()
        },
        AuditFilter {
            actor,
            action: action.clone(),
            ..all.clone()
        },
        AuditFilter {
            actor: Some(Principal::User("ada".to_owned())),
            action,
            ..all.clone()
        },
    ] {
        let page = store.of(account).audit_log(&filter).await.unwrap();
        if let Some(next) = page.next {
            let older = AuditFilter {
                before: Some(next),
                ..filter
            };
            store.of(account).audit_log(&older).await.unwrap();
        }
    }
    let choices = store.of(account).audit_choices().await.unwrap();
    assert!(choices.actors.contains(&bob), "{choices:?}");
}
