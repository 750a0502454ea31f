//! Events come in: stored once, with a delivery for everybody who wants them.

use super::*;
#[tokio::test]
async fn an_event_goes_to_every_webhook_that_wants_its_type_and_waits_for_a_paused_one() {
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
async fn the_same_event_is_stored_once_and_another_under_its_id_is_a_conflict() {
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
    // All or nothing: `b` is not there either.
    assert!(!submit(vec![event("b", EventType::Chat)]).await.unwrap()[0].repeated);
    assert_eq!(fixture.statuses().await.len(), 2);
}

#[tokio::test]
async fn an_idempotency_key_stands_for_the_event_that_came_with_it_first() {
    let fixture = Fixture::new().await;
    let keyed = |id: &str, byte: u8| NewEvent {
        idempotency_key: Some("k".to_owned()),
        fingerprint: [byte; 32],
        ..event(id, EventType::Chat)
    };
    // Twice in the same transaction, as two publishers may send it at the same moment.
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
async fn what_is_handed_off_is_leased_by_the_insert_itself() {
    let fixture = Fixture::new().await;
    let wanted = fixture.add("wanted", &["chat"]).await;
    let unwanted = fixture.add("unwanted", &["chat"]).await;
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
        room: &|webhook| {
            assert_ne!(*webhook, paused.id, "what is held cannot be sent");
            usize::from(*webhook == wanted.id)
        },
    };
    let accepted = fixture
        .store
        .accept_events(&[submission], NOW, leasing)
        .await
        .unwrap();
    assert!(accepted.behind.iter().eq([&unwanted.id]));
    let [handed_off] = accepted.claimed.as_slice() else {
        panic!("{:?}", accepted.claimed);
    };
    assert_eq!((&handed_off.webhook_id, handed_off.number), (&wanted.id, 1));
    assert_eq!(handed_off.payload, event("a", EventType::Chat).payload);

    let claimed = fixture.claim(NOW).await;
    assert_eq!(claimed.len(), 1, "nobody else gets it while its lease holds");
    assert_eq!(claimed[0].webhook_id, unwanted.id);
    let lapsed = fixture.claim(NOW.plus(LEASE)).await;
    assert!(
        lapsed.iter().any(|delivery| delivery.id == handed_off.id),
        "a lapsed lease is due again"
    );
    fixture.record(handed_off, OK, Next::Delivered).await;
    assert!(
        !fixture.statuses().await.contains(&DeliveryStatus::Delivered),
        "it came too late"
    );
}

#[tokio::test]
async fn many_events_and_webhooks_fit_into_one_acceptance() {
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
