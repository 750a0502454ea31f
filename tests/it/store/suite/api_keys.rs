use caleida::{
    domain::ApiKeyId,
    store::{ApiKey, AuditFilter, KeyState, NewApiKey},
};

use tokio::task::JoinSet;

use super::*;

impl Fixture {
    fn new_key(&self, name: &str, hash: u8, expires_at: Option<Timestamp>) -> NewApiKey {
        NewApiKey {
            key: ApiKey {
                id: ApiKeyId::generate(NOW),
                account_id: self.account.clone(),
                name: name.to_owned(),
                prefix: "ck_1234567".to_owned(),
                scopes: vec!["events:write".to_owned(), "webhooks:read".to_owned()],
                expires_at,
            },
            hash: [hash; 32],
            by: self.actor(),
            at: NOW,
        }
    }

    async fn create_key(
        &self,
        name: &str,
        hash: u8,
        expires_at: Option<Timestamp>,
    ) -> Result<ApiKey, StoreError> {
        let new = self.new_key(name, hash, expires_at);
        self.store.insert_api_key(&new).await.map(|()| new.key)
    }

    async fn key_actions(&self) -> Vec<String> {
        let filter = AuditFilter {
            limit: 100,
            ..AuditFilter::default()
        };
        let page = self.store.of(&self.account).audit_log(&filter).await.unwrap();
        page.entries.into_iter().map(|entry| entry.action).collect()
    }
}

#[tokio::test]
async fn key_is_found_by_hash_until_revoked() {
    let fixture = Fixture::new().await;
    let expires_at = NOW.plus(Duration::from_secs(60));
    let key = fixture
        .create_key("Publisher", 1, Some(expires_at))
        .await
        .unwrap();
    let found = fixture.store.api_key_by_hash(&[1; 32]).await.unwrap();
    assert_eq!(found, Some(key.clone()));
    assert_eq!(fixture.store.api_key_by_hash(&[2; 32]).await.unwrap(), None);

    let other_account = fixture.store.ensure_account("another", NOW).await.unwrap();
    let other_actor = Actor::operator(other_account.clone());
    assert_eq!(
        fixture
            .store
            .revoke_api_key(&other_actor, &key.id, NOW)
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        fixture.store.of(&other_account).api_key(&key.id).await.unwrap(),
        None
    );

    let row = fixture
        .store
        .of(&fixture.account)
        .api_key(&key.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.created_by, Principal::User("ada@example.com".to_owned()));
    assert_eq!(
        (row.state(NOW), row.state(expires_at)),
        (KeyState::Active, KeyState::Expired)
    );
    let revoked = fixture
        .store
        .revoke_api_key(&fixture.actor(), &key.id, NOW)
        .await
        .unwrap();
    assert_eq!(revoked.unwrap().state(NOW), KeyState::Revoked);
    assert_eq!(fixture.store.api_key_by_hash(&[1; 32]).await.unwrap(), None);
    let again = fixture
        .store
        .revoke_api_key(&fixture.actor(), &key.id, NOW)
        .await
        .unwrap();
    assert_eq!(again, None);
    assert!(
        fixture
            .store
            .has_propagated(&CacheKey::ApiKey(key.id.clone()))
            .await
            .unwrap()
    );
    let mut actions = fixture.key_actions().await;
    actions.sort();
    assert_eq!(actions, ["api_key.created", "api_key.revoked"]);
}

#[tokio::test]
async fn key_name_is_unique_among_active_keys() {
    let fixture = Fixture::new().await;
    let conflict = |created| matches!(created, Err(StoreError::Conflict(Unique::ApiKeyName)));
    let first = fixture.create_key("Publisher", 1, None).await.unwrap();
    assert!(conflict(fixture.create_key("Publisher", 2, None).await));
    fixture
        .store
        .revoke_api_key(&fixture.actor(), &first.id, NOW)
        .await
        .unwrap();
    // Expires at once, so the name is free again.
    fixture.create_key("Publisher", 3, Some(NOW)).await.unwrap();
    fixture.create_key("Publisher", 4, None).await.unwrap();
    assert!(conflict(fixture.create_key("Publisher", 5, None).await));
    let names = fixture.store.of(&fixture.account).api_keys().await.unwrap();
    assert_eq!(names.len(), 3);
    assert_eq!(names[2].key.id, first.id, "the revoked key is last");
    // Concurrent inserts with the same name.
    let mut racing = JoinSet::new();
    for hash in 10..20 {
        let (store, new) = (Arc::clone(&fixture.store), fixture.new_key("Race", hash, None));
        racing.spawn(async move { store.insert_api_key(&new).await.is_ok() });
    }
    let results = racing.join_all().await;
    assert_eq!(results.into_iter().filter(|created| *created).count(), 1);
}

#[tokio::test]
async fn last_used_at_never_goes_back() {
    let fixture = Fixture::new().await;
    let key = fixture.create_key("Publisher", 1, None).await.unwrap();
    let later = NOW.plus(Duration::from_secs(60));
    for (at, expected) in [(NOW, NOW), (later, later), (NOW, later)] {
        let uses = [(key.id.clone(), at), (ApiKeyId::generate(NOW), at)];
        fixture.store.record_api_key_uses(&uses).await.unwrap();
        let row = fixture.store.of(&fixture.account).api_key(&key.id).await.unwrap();
        assert_eq!(row.unwrap().last_used_at, Some(expected));
    }
}
