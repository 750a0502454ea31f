//! Webhooks: creation, search, changes, failures and deletion.

use super::*;
#[tokio::test]
async fn webhook_name_is_unique_until_deleted() {
    let fixture = Fixture::new().await;
    let first = fixture.add("Orders", &["chat"]).await;
    assert!(matches!(
        fixture.try_add("Orders", &["chat"]).await,
        Err(StoreError::Conflict(Unique::WebhookName))
    ));

    let other_account = fixture.store.ensure_account("another", NOW).await.unwrap();
    let change = Change {
        account_id: other_account,
        ..fixture.change(&WebhookId::generate(NOW), NOW)
    };
    let same_name = NewWebhook {
        change,
        settings: settings("Orders", &["chat"]),
        secret: sealed(1),
        headers: None,
        max_webhooks: 1_000,
    };
    assert!(fixture.store.insert_webhook(same_name).await.is_ok());

    let change = fixture.change(&first.id, NOW);
    let stale = fixture
        .store
        .delete_webhook(&change, Some(first.version + 1))
        .await;
    assert!(
        matches!(stale.unwrap(), DeleteOutcome::VersionConflict(current) if current.version == first.version)
    );
    let removed = fixture.store.delete_webhook(&change, Some(first.version)).await;
    assert!(matches!(removed.unwrap(), DeleteOutcome::Deleted(_)));
    assert!(fixture.try_add("Orders", &["chat"]).await.is_ok());
}

#[tokio::test]
async fn delete_cancels_deliveries_and_erases_secret() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    fixture.publish("a", EventType::Chat).await;
    fixture.publish("b", EventType::Chat).await;
    let claimed = fixture.claim_some(NOW, 1, 1, &[]).await.remove(0);
    assert_eq!(
        fixture
            .store
            .of(&fixture.account)
            .open_deliveries(&webhook.id)
            .await
            .unwrap(),
        OpenDeliveries { pending: 2, held: 0 }
    );

    let change = fixture.change(&webhook.id, NOW);
    let DeleteOutcome::Deleted(deleted) = fixture.store.delete_webhook(&change, None).await.unwrap() else {
        panic!("the webhook was not deleted");
    };
    assert_eq!((deleted.name.as_str(), deleted.cancelled), ("chats", 2));
    let again = fixture.store.delete_webhook(&change, None).await.unwrap();
    assert!(matches!(again, DeleteOutcome::NotFound));
    assert!(fixture.store.destination(&webhook.id).await.unwrap().is_none());
    assert!(
        fixture
            .store
            .of(&fixture.account)
            .sealed_secrets(&webhook.id)
            .await
            .unwrap()
            .is_none()
    );
    assert!(fixture.store.master_key_ids().await.unwrap().is_empty());
    assert!(fixture.claim(NOW.plus(LEASE * 2)).await.is_empty());
    assert_eq!(fixture.publish("c", EventType::Chat).await, 0);

    // The attempt in flight is still recorded.
    fixture.record(&claimed, REFUSED, Next::RetryAt(NOW)).await;
    let detail = fixture
        .store
        .of(&fixture.account)
        .delivery(&claimed.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(detail.delivery.status, DeliveryStatus::Cancelled);
    assert_eq!(detail.attempts.len(), 1);
    assert_eq!(
        (
            detail.delivery.webhook_name.as_str(),
            detail.delivery.webhook_deleted
        ),
        ("chats", true)
    );
}

#[tokio::test]
async fn status_410_disables_webhook_and_cancels_deliveries() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    fixture.publish("a", EventType::Chat).await;
    fixture.publish("b", EventType::Chat).await;
    let claimed = fixture.claim_some(NOW, 1, 1, &[]).await.remove(0);
    let gone = Outcome::Answered {
        status: 410,
        retry_after: None,
    };
    fixture
        .record(&claimed, gone, Next::DisableWebhook(DisabledReason::Gone))
        .await;

    let disabled = fixture.webhook(&webhook.id).await;
    assert_eq!(disabled.status, WebhookStatus::Disabled);
    assert_eq!(disabled.disabled_reason, Some(DisabledReason::Gone));
    assert_eq!(fixture.publish("c", EventType::Chat).await, 0);
    let mut statuses = fixture.statuses().await;
    statuses.sort_by_key(|status| status.as_str());
    assert_eq!(statuses, [DeliveryStatus::Cancelled, DeliveryStatus::Failed]);
}

#[tokio::test]
async fn stale_update_is_rejected_with_current_webhook() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    let update = |name: &str, expected_version| UpdateWebhook {
        change: fixture.change(&webhook.id, NOW),
        settings: settings(name, &["message"]),
        secret: None,
        headers: None,
        expected_version,
    };
    let UpdateOutcome::Saved(saved) = fixture
        .store
        .update_webhook(update("renamed", Some(1)))
        .await
        .unwrap()
    else {
        panic!("not saved")
    };
    assert_eq!((saved.version, saved.settings.name.as_str()), (2, "renamed"));
    let stale = fixture
        .store
        .update_webhook(update("again", Some(1)))
        .await
        .unwrap();
    assert!(matches!(stale, UpdateOutcome::VersionConflict(now) if now.settings.name.as_str() == "renamed"));
    assert!(matches!(
        fixture.store.update_webhook(update("again", None)).await.unwrap(),
        UpdateOutcome::Saved(_)
    ));

    fixture.add("taken", &["chat"]).await;
    assert!(matches!(
        fixture.store.update_webhook(update("taken", None)).await.unwrap(),
        UpdateOutcome::NameTaken
    ));
}

#[tokio::test]
async fn rotation_keeps_previous_secret_and_edit_replaces_it() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    let until = NOW.plus(Duration::from_secs(86_400));
    let change = fixture.change(&webhook.id, NOW);
    let rotated = fixture
        .store
        .rotate_secret(&change, sealed(2), until)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(rotated.previous_secret_until, Some(until));
    let secrets = fixture
        .store
        .destination(&webhook.id)
        .await
        .unwrap()
        .unwrap()
        .secrets;
    assert_eq!(
        (secrets.current, secrets.previous),
        (sealed(2), Some((sealed(1), until)))
    );

    let edit = UpdateWebhook {
        change,
        settings: settings("chats", &["chat"]),
        secret: Some(sealed(3)),
        headers: None,
        expected_version: None,
    };
    fixture.store.update_webhook(edit).await.unwrap();
    let secrets = fixture
        .store
        .destination(&webhook.id)
        .await
        .unwrap()
        .unwrap()
        .secrets;
    assert_eq!(secrets.current, sealed(3));
}

#[tokio::test]
async fn last_attempt_and_hourly_statistics_are_recorded() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    for id in ["a", "b", "c"] {
        fixture.publish(id, EventType::Chat).await;
    }
    let claimed = fixture.claim(NOW).await;
    fixture.record(&claimed[0], REFUSED, Next::Failed).await;
    let last = fixture.webhook(&webhook.id).await.last_attempt.unwrap();
    assert_eq!(last.outcome, REFUSED);
    fixture.record(&claimed[1], REFUSED, Next::Failed).await;
    fixture.record(&claimed[2], OK, Next::Delivered).await;
    let last = fixture.webhook(&webhook.id).await.last_attempt.unwrap();
    assert_eq!(last.outcome, OK);

    let yesterday = NOW.minus(Duration::from_secs(86_400));
    let ids = [webhook.id.clone()];
    let hours = fixture
        .store
        .of(&fixture.account)
        .webhook_activity(&ids, yesterday)
        .await
        .unwrap();
    assert_eq!(hours.len(), 1);
    assert_eq!((hours[0].succeeded, hours[0].failed), (1, 2));
    // Attempts without a response have no latency.
    let account = fixture.store.of(&fixture.account);
    let latencies = || account.webhook_latencies(&webhook.id, yesterday);
    let counted = latencies().await.unwrap();
    let mut expected = Latencies::default();
    expected.add(Latencies::bucket(Duration::from_millis(12)), 1);
    assert_eq!(counted, expected);
    fixture.publish("d", EventType::Chat).await;
    let claimed = fixture.claim(NOW).await;
    fixture.record(&claimed[0], OK, Next::Delivered).await;
    expected.add(Latencies::bucket(Duration::from_millis(12)), 1);
    assert_eq!(latencies().await.unwrap(), expected);

    fixture.store.delete_old_statistics(hours[0].hour).await.unwrap();
    assert_eq!(latencies().await.unwrap(), expected);
    fixture
        .store
        .delete_old_statistics(NOW.plus(Duration::from_secs(3_600)))
        .await
        .unwrap();
    assert_eq!(latencies().await.unwrap(), Latencies::default());
    assert!(
        fixture
            .store
            .of(&fixture.account)
            .webhook_activity(&ids, yesterday)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn webhooks_are_filtered_by_text_event_type_and_status() {
    let fixture = Fixture::new().await;
    let orders = fixture.add("Orders 100%", &["chat"]).await;
    fixture.add("Crm", &["message", "insight.key"]).await;
    fixture
        .store
        .pause_webhook(&fixture.change(&orders.id, NOW))
        .await
        .unwrap();

    let names = |filter: WebhookFilter| {
        let (store, account) = (Arc::clone(&fixture.store), fixture.account.clone());
        async move {
            let page = store.of(&account).list_webhooks(&filter).await.unwrap();
            assert_eq!(page.total, 2);
            assert_eq!(page.matching, u64::try_from(page.webhooks.len()).unwrap());
            // Both were added at the same time, so the order is arbitrary.
            let mut names: Vec<_> = page
                .webhooks
                .into_iter()
                .map(|webhook| webhook.settings.name.to_string())
                .collect();
            names.sort_unstable();
            names
        }
    };
    let all = || WebhookFilter {
        urls: UrlVisibility::Full,
        ..WebhookFilter::default()
    };
    assert_eq!(names(all()).await, ["Crm", "Orders 100%"]);
    assert_eq!(
        names(WebhookFilter {
            search: Some("ORDERS".to_owned()),
            ..all()
        })
        .await,
        ["Orders 100%"]
    );
    assert_eq!(
        names(WebhookFilter {
            search: Some("0%".to_owned()),
            ..all()
        })
        .await,
        ["Orders 100%"]
    );
    assert_eq!(
        names(WebhookFilter {
            search: Some("_".to_owned()),
            ..all()
        })
        .await,
        Vec::<String>::new()
    );
    assert_eq!(
        names(WebhookFilter {
            search: Some("example.com".to_owned()),
            ..all()
        })
        .await
        .len(),
        2
    );
    assert_eq!(
        names(WebhookFilter {
            event_type: Some(EventType::InsightKey),
            ..all()
        })
        .await,
        ["Crm"]
    );
    assert_eq!(
        names(WebhookFilter {
            status: Some(WebhookStatus::Paused),
            ..all()
        })
        .await,
        ["Orders 100%"]
    );
    assert_eq!(
        names(WebhookFilter {
            status: Some(WebhookStatus::Active),
            ..all()
        })
        .await,
        ["Crm"]
    );
}

#[tokio::test]
async fn search_finds_names_and_urls_in_any_alphabet_and_case() {
    let fixture = Fixture::new().await;
    let settings_of = |name: &str, url: &str| WebhookSettings {
        url: EndpointUrl::parse(url, Transport::HttpsOnly).unwrap(),
        ..settings(name, &["chat"])
    };
    let add = async |name: &str, url: &str| {
        let id = WebhookId::generate(NOW);
        let new = NewWebhook {
            change: fixture.change(&id, NOW),
            settings: settings_of(name, url),
            secret: sealed(1),
            headers: None,
            max_webhooks: 1_000,
        };
        fixture.store.insert_webhook(new).await.unwrap()
    };
    let found_by = async |urls: UrlVisibility, search: &str| {
        let filter = WebhookFilter {
            search: Some(search.to_owned()),
            urls,
            ..WebhookFilter::default()
        };
        let page = fixture
            .store
            .of(&fixture.account)
            .list_webhooks(&filter)
            .await
            .unwrap();
        assert_eq!(page.matching, page.webhooks.len() as u64, "{search}");
        let mut names: Vec<_> = page
            .webhooks
            .iter()
            .map(|webhook| webhook.settings.name.to_string())
            .collect();
        names.sort();
        names
    };
    let found = async |search: &str| found_by(UrlVisibility::Full, search).await;
    let visible = async |search: &str| found_by(UrlVisibility::Shortened, search).await;
    add("Ärzte", "https://example.com/a").await;
    add("Заказы", "https://bücher.example/café").await;
    let renamed = add("ΟΔΟΣ", "https://example.com/o").await;

    for search in ["Ärzte", "ärzte", "ÄRZTE", "a\u{308}rz"] {
        assert_eq!(found(search).await, ["Ärzte"], "{search}");
    }
    for search in [
        "заказы",
        "ЗАКАЗ",
        "bücher.example",
        "BÜCHER",
        "xn--bcher-kva",
        "CAFÉ",
        "caf%c3%a9",
    ] {
        assert_eq!(found(search).await, ["Заказы"], "{search}");
    }
    assert_eq!(found("οδος").await, ["ΟΔΟΣ"]);
    for search in ["bucher", "_", "\\", "\0"] {
        assert!(found(search).await.is_empty(), "{search}");
    }
    assert_eq!(found(" ").await.len(), 3);
    assert_eq!(found("%").await, ["Заказы"], "its URL has the character");
    for search in ["заказы", "BÜCHER.example", "xn--bcher-kva"] {
        assert_eq!(visible(search).await, ["Заказы"], "{search}");
    }
    for search in ["café", "caf%c3%a9", "%", "/", "https", "\\", "_", "\0"] {
        assert!(visible(search).await.is_empty(), "{search}");
    }
    assert_eq!(visible(" ").await.len(), 3);

    let update = UpdateWebhook {
        change: fixture.change(&renamed.id, NOW),
        settings: settings_of("Straße", "https://почта.рф/"),
        secret: None,
        headers: None,
        expected_version: None,
    };
    fixture.store.update_webhook(update).await.unwrap();
    assert!(found("οδος").await.is_empty());
    for search in ["STRASSE", "ПОЧТА.рф", "xn--80a1acny.xn--p1ai"] {
        assert_eq!(found(search).await, ["Straße"], "{search}");
    }
}

#[tokio::test]
async fn visible_search_has_the_pages_of_a_full_search() {
    let fixture = Fixture::new().await;
    for index in 0..5 {
        fixture.add(&format!("match {index}"), &["chat"]).await;
        fixture.add(&format!("other {index}"), &["chat"]).await;
    }
    for event_type in [None, Some(EventType::Chat), Some(EventType::Message)] {
        for page in 0..4 {
            let mut before = None;
            for _ in 0..4 {
                let filter = |urls| WebhookFilter {
                    search: Some("MATCH".to_owned()),
                    urls,
                    event_type,
                    before: before.clone(),
                    page,
                    limit: 2,
                    ..WebhookFilter::default()
                };
                let (full, visible) = (filter(UrlVisibility::Full), filter(UrlVisibility::Shortened));
                let account = fixture.store.of(&fixture.account);
                let full = account.list_webhooks(&full).await.unwrap();
                let visible = account.list_webhooks(&visible).await.unwrap();
                assert_eq!(visible.webhooks, full.webhooks);
                assert_eq!((visible.matching, visible.total), (full.matching, full.total));
                before = full.webhooks.last().map(|webhook| webhook.id.clone()).or(before);
            }
        }
    }
}
