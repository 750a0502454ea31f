//! Accepting events: idempotency, deliveries to subscribers, and handed-off deliveries.

use super::*;
#[tokio::test]
async fn event_goes_to_subscribers_and_is_held_for_paused_ones() {
    let fixture = Fixture::new().await;
    fixture.add("chats", &["chat"]).await;
    let paused = fixture.add("both", &["chat", "message"]).await;
    fixture
        .store
        .pause_webhook(&fixture.change(&paused.id, NOW))
        .await
        .unwrap();

    assert_eq!(fixture.publish("a", EventType::Chat).await, 2);
    assert_eq!(fixture.publish("b", EventType::Message).await, 1);
    assert_eq!(fixture.publish("c", EventType::InsightKey).await, 0);

    let claimed = fixture.claim(NOW).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].event_id.as_str(), "a");
    assert_eq!(&*claimed[0].payload, &*event("a", EventType::Chat).payload);
    assert_eq!(
        fixture
            .statuses()
            .await
            .iter()
            .filter(|&&status| status == DeliveryStatus::Held)
            .count(),
        2
    );
}

#[tokio::test]
async fn repeated_event_is_stored_once_and_changed_one_conflicts() {
    let fixture = Fixture::new().await;
    fixture.add("chats", &["chat"]).await;
    let submit = |events: Vec<NewEvent>| {
        let submission = Submission {
            account_id: fixture.account.clone(),
            events,
        };
        let store = Arc::clone(&fixture.store);
        async move { accept(&store, &[submission], NOW).await.remove(0) }
    };
    let first = submit(vec![event("a", EventType::Chat)]).await.unwrap();
    assert!(!first[0].repeated);
    let again = submit(vec![event("a", EventType::Chat)]).await.unwrap();
    assert!(again[0].repeated);
    assert_eq!(again[0].deliveries, 1);

    let other = NewEvent {
        fingerprint: [2; 32],
        ..event("a", EventType::Chat)
    };
    let conflict = submit(vec![event("b", EventType::Chat), other])
        .await
        .unwrap_err();
    assert_eq!((conflict.index, conflict.id.as_str()), (1, "a"));
    // All or nothing: `b` was not stored either.
    assert!(!submit(vec![event("b", EventType::Chat)]).await.unwrap()[0].repeated);
    assert_eq!(fixture.statuses().await.len(), 2);
}

#[tokio::test]
async fn idempotency_key_returns_first_event() {
    let fixture = Fixture::new().await;
    let keyed = |id: &str, byte: u8| NewEvent {
        idempotency_key: Some("k".to_owned()),
        fingerprint: [byte; 32],
        ..event(id, EventType::Chat)
    };
    // Twice in the same transaction, as two publishers may send it concurrently.
    let submissions = [keyed("a", 1), keyed("b", 1), keyed("c", 2)].map(|event| Submission {
        account_id: fixture.account.clone(),
        events: vec![event],
    });
    let answers = accept(&fixture.store, &submissions, NOW).await;
    assert_eq!(answers[0].as_ref().unwrap()[0].id.as_str(), "a");
    let second = &answers[1].as_ref().unwrap()[0];
    assert_eq!((second.id.as_str(), second.repeated), ("a", true));
    assert!(answers[2].is_err());
}

#[tokio::test]
async fn handed_off_deliveries_are_leased_on_insert() {
    let fixture = Fixture::new().await;
    let with_capacity = fixture.add("with capacity", &["chat"]).await;
    let full = fixture.add("full", &["chat"]).await;
    let paused = fixture.add("paused", &["chat"]).await;
    fixture
        .store
        .pause_webhook(&fixture.change(&paused.id, NOW))
        .await
        .unwrap();

    let submission = Submission {
        account_id: fixture.account.clone(),
        events: vec![event("a", EventType::Chat)],
    };
    let leasing = Leasing {
        lease: LEASE,
        limit: 10,
        capacity: &|webhook| {
            assert_ne!(*webhook, paused.id, "held deliveries are not handed off");
            usize::from(*webhook == with_capacity.id)
        },
    };
    let accepted = accept_events(&fixture.store, &[submission], NOW, leasing).await;
    assert!(accepted.backlogged.iter().eq([&full.id]));
    let [handed_off] = accepted.claimed.as_slice() else {
        panic!("{:?}", accepted.claimed);
    };
    assert_eq!(
        (&handed_off.webhook_id, handed_off.number),
        (&with_capacity.id, 1)
    );
    assert_eq!(handed_off.payload, event("a", EventType::Chat).payload);

    let claimed = fixture.claim(NOW).await;
    assert_eq!(claimed.len(), 1, "the handed-off delivery is leased");
    assert_eq!(claimed[0].webhook_id, full.id);
    let lapsed = fixture.claim(NOW.plus(LEASE)).await;
    assert!(
        lapsed.iter().any(|delivery| delivery.id == handed_off.id),
        "due again after the lease expires"
    );
    fixture.record(handed_off, OK, Next::Delivered).await;
    assert!(
        !fixture.statuses().await.contains(&DeliveryStatus::Delivered),
        "an attempt under an expired lease changes nothing"
    );
}

#[tokio::test]
async fn large_batch_fits_into_one_call() {
    let fixture = Fixture::new().await;
    for index in 0..7 {
        fixture.add(&format!("webhook {index}"), &["chat"]).await;
    }
    let events = (0..1_000)
        .map(|index| event(&format!("e{index}"), EventType::Chat))
        .collect();
    let submission = Submission {
        account_id: fixture.account.clone(),
        events,
    };
    let accepted = accept(&fixture.store, &[submission], NOW)
        .await
        .remove(0)
        .unwrap();
    assert_eq!(accepted.len(), 1_000);
    // More deliveries than one commit stores.
    while fixture.store.advance_fan_outs(None, NOW).await.unwrap().is_some() {}
    assert_eq!(fixture.claim_some(NOW, 10_000, 10_000, &[]).await.len(), 7_000);
    let id: EventId = "e999".parse().unwrap();
    let filter = DeliveryFilter {
        event_id: Some(id),
        limit: 100,
        ..DeliveryFilter::default()
    };
    assert_eq!(
        fixture
            .store
            .of(&fixture.account)
            .list_deliveries(&filter)
            .await
            .unwrap()
            .deliveries
            .len(),
        7
    );
}
