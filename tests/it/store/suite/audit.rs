use caleida::domain::AuditAction;
use caleida::store::{AuditChoices, AuditEvent, AuditFilter, AuditPage};
use serde_json::json;

use super::*;

impl Fixture {
    async fn record_audit(&self, by: &str, action: AuditAction, subject: &str, at: Timestamp) {
        let actor = Actor::user(self.account.clone(), by, Origin::CommandLine);
        let audit_event =
            AuditEvent::new(&actor, action, subject, at).with(json!({ "after": { "name": "x" } }));
        self.store.record_audit_event(&audit_event).await.unwrap();
    }

    async fn audit(&self, filter: AuditFilter) -> AuditPage {
        self.store.of(&self.account).audit_log(&filter).await.unwrap()
    }
}

fn later(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

fn filter_by(actor: Option<&str>, action: Option<&str>, subject: Option<&str>) -> AuditFilter {
    AuditFilter {
        actor: actor.map(|email| Principal::User(email.to_owned())),
        action: action.map(str::to_owned),
        subject: subject.map(str::to_owned),
        limit: 4,
        ..AuditFilter::default()
    }
}

#[tokio::test]
async fn audit_log_pages_through_equal_timestamps() {
    let fixture = Fixture::new().await;
    for number in 0..10 {
        fixture
            .record_audit(
                "ada",
                AuditAction::RoleChanged,
                &format!("usr_{number}"),
                later(number / 6),
            )
            .await;
    }
    let (mut filter, mut subjects) = (filter_by(None, None, None), Vec::new());
    loop {
        let page = fixture.audit(filter.clone()).await;
        assert!(page.entries.is_sorted_by(|a, b| (b.at, &b.id) < (a.at, &a.id)));
        subjects.extend(page.entries.into_iter().map(|entry| entry.subject));
        let Some(next) = page.next else { break };
        filter.before = Some(next);
    }
    subjects.sort();
    let all: Vec<_> = (0..10).map(|number| format!("usr_{number}")).collect();
    assert_eq!(subjects, all);
}

#[tokio::test]
async fn audit_log_filters_by_actor_action_subject_and_time() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("Orders", &["chat"]).await;
    fixture
        .record_audit("bob", AuditAction::RoleChanged, "usr_1", later(1))
        .await;
    fixture
        .record_audit("eve", AuditAction::RoleChanged, webhook.id.as_str(), later(2))
        .await;
    fixture
        .record_audit("bob", AuditAction::UserDisabled, "usr_1", later(3))
        .await;
    let other_account = fixture.store.ensure_account("another", NOW).await.unwrap();
    let audit_event = AuditEvent::new(
        &Actor::operator(other_account),
        AuditAction::RoleChanged,
        "usr_1",
        later(1),
    );
    fixture.store.record_audit_event(&audit_event).await.unwrap();

    for (filter, expected) in [
        (filter_by(None, None, None), vec![3, 2, 1, 0]),
        (filter_by(Some("bob"), None, None), vec![3, 1]),
        (filter_by(None, Some("user.role_changed"), None), vec![2, 1]),
        (filter_by(None, None, Some("usr_1")), vec![3, 1]),
        (filter_by(Some("bob"), Some("user.role_changed"), None), vec![1]),
        (filter_by(Some("eve"), None, Some("usr_1")), vec![]),
        (filter_by(Some("unknown\0"), None, None), vec![]),
        (
            AuditFilter {
                since: Some(later(1)),
                until: Some(later(3)),
                ..filter_by(None, None, None)
            },
            vec![2, 1],
        ),
    ] {
        let page = fixture.audit(filter.clone()).await;
        let seconds: Vec<_> = page
            .entries
            .iter()
            .map(|entry| entry.at.since(NOW).as_secs())
            .collect();
        assert_eq!((seconds, page.next), (expected, None), "{filter:?}");
    }

    let oldest = fixture
        .audit(filter_by(None, None, Some(webhook.id.as_str())))
        .await
        .entries
        .remove(1);
    assert_eq!(
        (oldest.actor, &*oldest.action),
        (Principal::User("ada@example.com".to_owned()), "webhook.created")
    );
    assert_eq!(oldest.subject_name.as_deref(), Some("Orders"));
    assert_eq!(oldest.address.as_deref(), Some("command line"));
    let details: serde_json::Value =
        serde_json::from_str(&oldest.details.unwrap().shown(UrlVisibility::Full)).unwrap();
    assert_eq!(details["after"]["events"], json!(["chat"]));

    let choices = fixture.store.of(&fixture.account).audit_choices().await.unwrap();
    assert_eq!(
        choices,
        AuditChoices {
            actors: ["ada@example.com", "bob", "eve"]
                .map(|email| Principal::User(email.to_owned()))
                .into(),
            actions: ["user.disabled", "user.role_changed", "webhook.created"]
                .map(str::to_owned)
                .into(),
        }
    );
}

#[tokio::test]
async fn automatic_disable_is_recorded_with_system_actor() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("Orders", &["chat"]).await;
    fixture.publish("order-7", EventType::Chat).await;
    let claimed = fixture.claim(NOW).await.remove(0);
    let gone = Outcome::Answered {
        status: 410,
        retry_after: None,
    };
    fixture
        .record(&claimed, gone, Next::DisableWebhook(DisabledReason::Gone))
        .await;
    let page = fixture
        .audit(filter_by(None, Some("webhook.disabled"), None))
        .await;
    let [entry] = &page.entries[..] else {
        panic!("{page:?}");
    };
    assert_eq!((&entry.actor, &entry.address), (&Principal::System, &None));
    assert_eq!(entry.subject, webhook.id.as_str());
}
