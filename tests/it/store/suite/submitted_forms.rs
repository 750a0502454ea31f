//! Submitted forms, and the attempts that the page of a delivery reads.

use caleida::store::{AttemptRange, FormState};

use super::*;

#[tokio::test]
async fn form_is_new_until_it_is_submitted_and_again_when_forgotten() {
    let Fixture { store, .. } = &Fixture::new().await;
    let (one, two) = ([1; 32], [2; 32]);
    assert_eq!(store.begin_form(&one, NOW).await.unwrap(), FormState::New);
    assert_eq!(store.begin_form(&one, NOW).await.unwrap(), FormState::InProgress);
    assert_eq!(store.begin_form(&two, NOW).await.unwrap(), FormState::New);
    store.complete_form(&one, b"outcome").await.unwrap();
    store.forget_form(&two).await.unwrap();
    let done = FormState::Done(b"outcome".to_vec());
    assert_eq!(store.begin_form(&one, NOW).await.unwrap(), done);
    assert_eq!(store.begin_form(&two, NOW).await.unwrap(), FormState::New);

    // A change that was interrupted can be made again. An outcome is kept longer, but not forever.
    let later = NOW.plus(Duration::from_secs(61));
    assert_eq!(store.begin_form(&two, later).await.unwrap(), FormState::New);
    assert_eq!(store.begin_form(&one, later).await.unwrap(), done);
    let much_later = NOW.plus(Duration::from_secs(3_601));
    assert_eq!(store.begin_form(&one, much_later).await.unwrap(), FormState::New);
}

#[tokio::test]
async fn one_of_many_concurrent_submissions_is_new() {
    let Fixture { store, .. } = &Fixture::new().await;
    let states = futures_util::future::join_all((0..8).map(|_| store.begin_form(&[7; 32], NOW))).await;
    let new = states
        .into_iter()
        .filter(|state| matches!(state, Ok(FormState::New)));
    assert_eq!(new.count(), 1);
}

#[tokio::test]
async fn attempts_of_a_delivery_are_read_in_ranges() {
    let fixture = Fixture::new().await;
    fixture.add("chats", &["chat"]).await;
    fixture.publish("order", EventType::Chat).await;
    let mut at = NOW;
    for _ in 0..3 {
        let claimed = fixture.claim(at).await.remove(0);
        let attempt = RecordedAttempt {
            id: AttemptId::generate(at),
            ..recorded(&claimed, REFUSED, Next::RetryAt(at))
        };
        fixture.store.record_attempts(&[attempt]).await.unwrap();
        at = at.plus(Duration::from_secs(1));
    }
    let account = fixture.store.of(&fixture.account);
    let filter = DeliveryFilter {
        limit: 1,
        ..DeliveryFilter::default()
    };
    let id = account
        .list_deliveries(&filter)
        .await
        .unwrap()
        .deliveries
        .remove(0)
        .id;
    let read = async |before, limit| {
        let range = AttemptRange { before, limit };
        let detail = account.delivery_with(&id, range).await.unwrap().unwrap();
        let numbers: Vec<_> = detail.attempts.iter().map(|attempt| attempt.number).collect();
        (numbers, detail.has_older_attempts)
    };
    assert_eq!(read(None, None).await, (vec![1, 2, 3], false));
    assert_eq!(read(None, Some(2)).await, (vec![2, 3], true));
    assert_eq!(read(Some(2), Some(2)).await, (vec![1], false));
    assert_eq!(read(Some(1), Some(2)).await, (vec![], false));
    for (number, expected) in [(None, Some(3)), (Some(1), Some(1)), (Some(4), None)] {
        let attempt = account.attempt(&id, number).await.unwrap();
        assert_eq!(attempt.map(|attempt| attempt.number), expected);
    }
    let other = fixture.store.ensure_account("another", NOW).await.unwrap();
    assert_eq!(fixture.store.of(&other).attempt(&id, None).await.unwrap(), None);
}
