//! Files of the dashboard.

use caleida::store::Asset;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn files_are_kept_for_a_week_after_their_last_confirmation() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let [old, new] = [("old.js", b"old"), ("new.js", b"new")].map(|(name, content)| Asset {
        name: name.to_owned(),
        content: content.to_vec(),
    });
    let found = async |name| store.asset(name).await.unwrap();
    let both = [old.clone(), new.clone()];
    store.keep_assets(&both, NOW).await.unwrap();
    for asset in &both {
        assert_eq!(found(&asset.name).await.as_ref(), Some(&asset.content));
    }
    assert_eq!(found("other.js").await, None);
    for day in 1..=7 {
        let new = std::slice::from_ref(&new);
        store.keep_assets(new, NOW.plus(day * DAY)).await.unwrap();
        assert_eq!(found("old.js").await.as_ref(), Some(&old.content), "{day}");
    }
    store.keep_assets(&[new], NOW.plus(8 * DAY)).await.unwrap();
    assert_eq!(found("old.js").await, None);
    assert!(found("new.js").await.is_some());
}
