//! Deleting expired events writes an entry.

use std::time::Duration;

use caleida::{domain::Timestamp, store::Retention};

use super::mutations::Log;
use crate::support::app::TestApp;

/// One entry per day keeps the log readable.
#[tokio::test]
async fn retention_writes_one_entry_per_day() {
    let app = TestApp::start().await;
    let store = &app.server().store;
    let mut log = Log::of(app.data());
    let noon = Timestamp::from_millis(1_795_435_200_000);
    let hour = Duration::from_secs(60 * 60);
    for (at, entries) in [
        (noon, 1),
        (noon.plus(hour * 11), 0),
        (noon.plus(hour * 12), 1),
        (noon.plus(hour * 35), 0),
        (noon.plus(hour * 60), 1),
    ] {
        app.publish("chat").await;
        let _ = log.new_actions().await;
        let batch = Retention {
            account: &app.account,
            before: Timestamp::from_millis(i64::MAX),
            after: None,
            limit: 10,
            at,
        };
        let deleted = store.delete_old_events(batch).await.unwrap().deleted;
        assert_eq!(deleted, 1);
        assert_eq!(log.new_actions().await, vec!["event.expired"; entries], "{at:?}");
    }
    // Nothing has expired, so nothing is written.
    let batch = Retention {
        account: &app.account,
        before: noon,
        after: None,
        limit: 10,
        at: noon.plus(hour * 100),
    };
    assert_eq!(store.delete_old_events(batch).await.unwrap().deleted, 0);
    assert_eq!(log.new_actions().await, Vec::<String>::new());
}
