use super::*;
use caleida::store::{ResealedSecrets, SealedWithOtherKey, SecretReplacement};

fn new_key(byte: u8) -> Sealed {
    Sealed {
        key_id: "k2".to_owned(),
        ciphertext: vec![byte; 40],
    }
}

fn resealed(fixture: &Fixture, webhook: &SealedWithOtherKey) -> ResealedSecrets {
    let replaced = |before: &Sealed| SecretReplacement {
        before: before.clone(),
        after: new_key(before.ciphertext[0] + 100),
    };
    ResealedSecrets {
        change: fixture.change(&webhook.webhook_id, NOW),
        current: replaced(&webhook.current),
        previous: webhook.previous.as_ref().map(replaced),
        headers: webhook.headers.as_ref().map(replaced),
    }
}

#[tokio::test]
async fn secrets_sealed_with_other_key_are_resealed_in_batches() {
    let fixture = Fixture::new().await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        ids.push(fixture.add(name, &["chat"]).await.id);
    }
    ids.sort();
    let gone = fixture.add("gone", &["chat"]).await;
    let deleted = fixture.change(&gone.id, NOW);
    fixture.store.delete_webhook(&deleted, None).await.unwrap();
    let rotation = fixture.change(&ids[1], NOW);
    fixture
        .store
        .rotate_secret(&rotation, sealed(2), NOW)
        .await
        .unwrap();

    let store = &fixture.store;
    let first = store.secrets_sealed_with_other_keys("k2", None, 2).await.unwrap();
    let rest = store
        .secrets_sealed_with_other_keys("k2", Some(&ids[1]), 2)
        .await
        .unwrap();
    let found: Vec<_> = first
        .iter()
        .chain(&rest)
        .map(|webhook| webhook.webhook_id.clone())
        .collect();
    assert_eq!(found, ids);
    assert_eq!(
        (first[1].current.clone(), first[1].previous.clone()),
        (sealed(2), Some(sealed(1)))
    );
    let versions = fixture.webhook(&ids[0]).await.version;

    let batch: Vec<_> = first.iter().map(|webhook| resealed(&fixture, webhook)).collect();
    assert_eq!(store.reseal(&batch).await.unwrap(), 2);
    assert_eq!(
        store.reseal(&batch).await.unwrap(),
        0,
        "the secrets have changed since they were read"
    );
    let secrets = store
        .of(&fixture.account)
        .sealed_secrets(&ids[1])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (secrets.current, secrets.previous.unwrap().0),
        (new_key(102), new_key(101))
    );
    assert_eq!(
        fixture.webhook(&ids[0]).await.version,
        versions,
        "resealing does not conflict with edits"
    );
    let mut in_use = store.master_key_ids().await.unwrap();
    in_use.sort();
    assert_eq!(in_use, ["k1", "k2"]);
    let remaining = store
        .secrets_sealed_with_other_keys("k2", None, 10)
        .await
        .unwrap();
    assert_eq!(remaining.len(), 1);
}

#[tokio::test]
async fn reseal_skips_secret_changed_meanwhile() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("orders", &["chat"]).await;
    let read = fixture
        .store
        .secrets_sealed_with_other_keys("k2", None, 10)
        .await
        .unwrap();
    let rotation = fixture.change(&webhook.id, NOW);
    fixture
        .store
        .rotate_secret(&rotation, sealed(9), NOW)
        .await
        .unwrap();
    assert_eq!(
        fixture
            .store
            .reseal(&[resealed(&fixture, &read[0])])
            .await
            .unwrap(),
        0
    );
    let secrets = fixture
        .store
        .of(&fixture.account)
        .sealed_secrets(&webhook.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(secrets.current, sealed(9));
}

#[tokio::test]
async fn process_lists_its_master_keys_until_it_leaves() {
    let fixture = Fixture::new().await;
    let member = Member {
        id: ProcessId::generate(NOW),
        role: "all",
        master_key_id: "k1".to_owned(),
        decryption_key_ids: vec!["k1".to_owned(), "k2".to_owned()],
    };
    assert_eq!(fixture.store.join(&member).await.unwrap(), JoinOutcome::Joined);
    let process = ProcessRow {
        id: member.id.clone(),
        role: "all".to_owned(),
        master_key_id: "k1".to_owned(),
        decryption_key_ids: member.decryption_key_ids.clone(),
    };
    assert_eq!(fixture.store.processes().await.unwrap(), [process]);
    fixture.store.leave(&member.id).await.unwrap();
    assert!(fixture.store.processes().await.unwrap().is_empty());
}

#[tokio::test]
async fn pending_count_stops_at_limit() {
    let fixture = Fixture::new().await;
    fixture.add("one", &["chat"]).await;
    let paused = fixture.add("two", &["chat", "message"]).await;
    for index in 0..3 {
        fixture.publish(&format!("chat{index}"), EventType::Chat).await;
    }
    assert_eq!(fixture.store.count_pending(100).await.unwrap(), 6);
    assert_eq!(fixture.store.count_pending(4).await.unwrap(), 4);
    fixture
        .store
        .pause_webhook(&fixture.change(&paused.id, NOW))
        .await
        .unwrap();
    fixture.publish("message", EventType::Message).await;
    assert_eq!(fixture.store.count_pending(100).await.unwrap(), 3);
    let delivery = fixture.claim(NOW).await.remove(0);
    fixture.record(&delivery, OK, Next::Delivered).await;
    assert_eq!(fixture.store.count_pending(100).await.unwrap(), 2);
}

#[tokio::test]
async fn login_failures_are_counted_per_key() {
    let fixture = Fixture::new().await;
    let later = NOW.plus(Duration::from_secs(60));
    let store = &fixture.store;
    let keys = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    store
        .record_login_failure(
            "unknown@example.com",
            Origin::Internal,
            &keys(&["a", "b"]),
            NOW,
            NOW,
        )
        .await
        .unwrap();
    store
        .record_login_failure("unknown@example.com", Origin::Internal, &keys(&["a"]), later, NOW)
        .await
        .unwrap();
    let failures = async |key: &str, since| {
        let failures = store.login_failures(key, since).await.unwrap();
        (failures.count, failures.newest)
    };
    assert_eq!(failures("a", NOW).await, (2, later));
    assert_eq!(failures("a", later).await, (1, later));
    assert_eq!(failures("b", NOW).await, (1, NOW));
    assert_eq!(failures("c", NOW).await, (0, Timestamp::from_millis(0)));
    store.clear_login_failures("a").await.unwrap();
    assert_eq!(failures("a", NOW).await.0, 0);
}
