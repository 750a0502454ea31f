//! Claiming, recording and releasing deliveries.

use super::*;
#[tokio::test]
async fn claim_is_exclusive_until_its_lease_expires() {
    let fixture = Fixture::new().await;
    fixture.add("chats", &["chat"]).await;
    fixture.publish("a", EventType::Chat).await;

    let first = fixture.claim(NOW).await.remove(0);
    assert_eq!(first.number, 1);
    assert!(
        fixture
            .claim(NOW.plus(LEASE - Duration::from_millis(1)))
            .await
            .is_empty()
    );
    let second = fixture.claim(NOW.plus(LEASE)).await.remove(0);
    assert_ne!(first.lease, second.lease);

    // An attempt under an expired lease is recorded, but does not change the delivery.
    fixture.record(&first, REFUSED, Next::Failed).await;
    assert_eq!(fixture.statuses().await, [DeliveryStatus::Pending]);
    fixture.record(&second, OK, Next::Delivered).await;
    assert_eq!(fixture.statuses().await, [DeliveryStatus::Delivered]);
    let detail = fixture
        .store
        .of(&fixture.account)
        .delivery(&first.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(detail.attempts.len(), 2);
    assert_eq!(detail.attempts[0].response_body, b"\xff\x00 raw");
}

#[tokio::test]
async fn retry_is_due_on_time_and_counts_attempts() {
    let fixture = Fixture::new().await;
    fixture.add("chats", &["chat"]).await;
    fixture.publish("a", EventType::Chat).await;
    let first = fixture.claim(NOW).await.remove(0);
    let due = NOW.plus(Duration::from_secs(300));
    fixture.record(&first, REFUSED, Next::RetryAt(due)).await;
    assert_eq!(fixture.store.next_due().await.unwrap(), Some(due));
    assert!(fixture.claim(NOW.plus(Duration::from_secs(299))).await.is_empty());
    let second = fixture.claim(due).await.remove(0);
    assert_eq!(second.number, 2);
    fixture.record(&second, REFUSED, Next::Failed).await;
    assert_eq!(fixture.statuses().await, [DeliveryStatus::Failed]);
    assert_eq!(fixture.store.next_due().await.unwrap(), None);
}

#[tokio::test]
async fn next_due_is_earliest_of_all_webhooks() {
    let fixture = Fixture::new().await;
    for name in ["a", "b", "c"] {
        fixture.add(name, &["chat"]).await;
    }
    fixture.publish("event", EventType::Chat).await;
    let due = [300, 100, 200].map(|seconds| NOW.plus(Duration::from_secs(seconds)));
    for (delivery, due) in fixture.claim(NOW).await.iter().zip(due) {
        fixture.record(delivery, REFUSED, Next::RetryAt(due)).await;
    }
    assert_eq!(fixture.store.next_due().await.unwrap(), Some(due[1]));
}

#[tokio::test]
async fn attempt_details_are_read_back_as_stored() {
    let fixture = Fixture::new().await;
    fixture.add("chats", &["chat"]).await;
    let details = [
        Some(AttemptDetail::Tls(TlsProblem::CertificateExpired)),
        // Texts are not parsed.
        Some(AttemptDetail::Text("certificate-expired".to_owned())),
        None,
    ];
    for (n, detail) in details.into_iter().enumerate() {
        fixture.publish(&format!("e{n}"), EventType::Chat).await;
        let claimed = fixture.claim(NOW).await.remove(0);
        let mut failed = recorded(&claimed, Outcome::Failed(FailureReason::Tls), Next::Failed);
        failed.attempt.detail = detail;
        fixture
            .store
            .record_attempts(std::slice::from_ref(&failed))
            .await
            .unwrap();
        let read = fixture.store.of(&fixture.account).delivery(&claimed.id).await;
        assert_eq!(read.unwrap().unwrap().attempts, [failed.attempt]);
    }
}

#[tokio::test]
async fn recording_an_attempt_twice_changes_nothing() {
    let fixture = Fixture::new().await;
    fixture.add("chats", &["chat"]).await;
    fixture.publish("a", EventType::Chat).await;
    let claimed = fixture.claim(NOW).await.remove(0);
    let due = NOW.plus(Duration::from_secs(300));
    let failed = recorded(&claimed, REFUSED, Next::RetryAt(due));
    // Repeated, as after a connection that was lost during the commit.
    for _ in 0..2 {
        fixture
            .store
            .record_attempts(std::slice::from_ref(&failed))
            .await
            .unwrap();
    }
    let detail = fixture
        .store
        .of(&fixture.account)
        .delivery(&claimed.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((detail.delivery.attempts, detail.attempts.len()), (1, 1));
    let hours = fixture
        .store
        .of(&fixture.account)
        .webhook_activity(&[claimed.webhook_id], Timestamp::from_millis(0))
        .await
        .unwrap();
    assert_eq!((hours.len(), hours[0].failed), (1, 1));
}

#[tokio::test]
async fn claim_is_shared_among_webhooks() {
    let fixture = Fixture::new().await;
    let busy = fixture.add("busy", &["chat"]).await;
    let calm = fixture.add("calm", &["message"]).await;
    for index in 0..20 {
        fixture.publish(&format!("chat{index}"), EventType::Chat).await;
    }
    fixture.publish("message", EventType::Message).await;

    let claimed = fixture.claim_some(NOW, 3, 100, &[]).await;
    assert_eq!(
        claimed
            .iter()
            .filter(|delivery| delivery.webhook_id == calm.id)
            .count(),
        1
    );
    let claimed = fixture.claim_some(NOW, 100, 5, &[]).await;
    assert_eq!(claimed.len(), 5, "at most the room of a webhook");
    let claimed = fixture.claim_some(NOW, 100, 100, &[(&busy.id, 2)]).await;
    assert_eq!(claimed.len(), 2, "room differs per webhook");
    assert!(
        fixture
            .claim_some(NOW, 100, 100, &[(&busy.id, 0)])
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn claims_rotate_through_webhooks_and_skip_full_ones() {
    const WEBHOOKS: usize = 300;
    let fixture = Fixture::new().await;
    let full = fixture.add("full", &["message"]).await;
    for index in 0..50 {
        fixture
            .publish(&format!("message{index}"), EventType::Message)
            .await;
    }
    for index in 0..WEBHOOKS {
        fixture.add(&format!("webhook {index}"), &["chat"]).await;
    }
    for chat in ["first", "second"] {
        fixture.publish(chat, EventType::Chat).await;
    }

    let mut turns = Vec::new();
    let mut after = None;
    loop {
        let claim = Claim {
            now: NOW,
            lease: LEASE,
            limit: 100,
            capacity: &|webhook| if *webhook == full.id { 0 } else { 1 },
            after,
        };
        let claimed = fixture.store.claim_due(claim).await.unwrap();
        assert!(claimed.deliveries.len() <= 100);
        assert!(
            claimed
                .deliveries
                .iter()
                .all(|delivery| claimed.backlogged.contains(&delivery.webhook_id)),
            "each webhook has a second delivery due"
        );
        turns.extend(claimed.deliveries.into_iter().map(|delivery| delivery.webhook_id));
        after = claimed.last_webhook;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(turns.len(), WEBHOOKS, "one delivery each before any second one");
    assert!(turns.is_sorted() && !turns.contains(&full.id));
}

#[tokio::test]
async fn released_delivery_is_due_at_once_or_held_if_paused() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    fixture.publish("a", EventType::Chat).await;
    let claimed = fixture.claim(NOW).await.remove(0);
    fixture
        .store
        .release(&[(claimed.id.clone(), Lease::generate(NOW))], NOW)
        .await
        .unwrap();
    assert!(
        fixture.claim(NOW).await.is_empty(),
        "another lease releases nothing"
    );
    fixture
        .store
        .release(&[(claimed.id, claimed.lease)], NOW)
        .await
        .unwrap();

    let claimed = fixture.claim(NOW).await.remove(0);
    fixture
        .store
        .pause_webhook(&fixture.change(&webhook.id, NOW))
        .await
        .unwrap();
    fixture
        .store
        .release(&[(claimed.id, claimed.lease)], NOW)
        .await
        .unwrap();
    assert_eq!(fixture.statuses().await, [DeliveryStatus::Held]);
    fixture
        .store
        .resume_webhook(&fixture.change(&webhook.id, NOW), HeldAction::Send)
        .await
        .unwrap();
    assert_eq!(fixture.claim(NOW).await.len(), 1);
}

#[tokio::test]
async fn pause_during_attempt_keeps_success_and_holds_failure() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    fixture.publish("a", EventType::Chat).await;
    fixture.publish("b", EventType::Chat).await;
    let claimed = fixture.claim(NOW).await;
    fixture
        .store
        .pause_webhook(&fixture.change(&webhook.id, NOW))
        .await
        .unwrap();
    fixture.record(&claimed[0], OK, Next::Delivered).await;
    fixture.record(&claimed[1], REFUSED, Next::RetryAt(NOW)).await;
    let mut statuses = fixture.statuses().await;
    statuses.sort_by_key(|status| status.as_str());
    assert_eq!(statuses, [DeliveryStatus::Delivered, DeliveryStatus::Held]);
}
