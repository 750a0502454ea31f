//! Keys of events: numbers that deliveries refer to, since a publisher may choose any text as an event's id.

use std::{collections::VecDeque, iter, ops::Range};

use tokio::sync::Mutex;

use super::{
    StoreError,
    database::{Database, query},
};

/// The sequence from which the processes that share a database take blocks of keys.
pub(super) const SEQUENCE: &str = "event_keys";

/// Keys in a block: what the sequence counts by. A crash loses the rest of one, which does not matter.
const BLOCK: i64 = 1_000;

/// Keys that this process may use.
#[derive(Default)]
pub(super) struct EventKeys(Mutex<VecDeque<Range<i64>>>);

impl EventKeys {
    /// Returns `count` keys that no other event has.
    pub(super) async fn take(&self, count: usize, database: &Database) -> Result<Vec<i64>, StoreError> {
        let mut keys = Vec::with_capacity(count);
        let mut blocks = self.0.lock().await;
        while keys.len() < count {
            match blocks.front_mut() {
                Some(block) => {
                    keys.extend(block.by_ref().take(count - keys.len()));
                    if block.is_empty() {
                        blocks.pop_front();
                    }
                }
                None => blocks.extend(more(count - keys.len(), database).await?),
            }
        }
        Ok(keys)
    }
}

async fn more(count: usize, database: &Database) -> Result<Vec<Range<i64>>, StoreError> {
    let mut reader = database.read().await?;
    if database.shared().is_none() {
        // This is the only process: all keys are its own.
        let first = query("select coalesce(max(key), 0) + 1 from events");
        let first: i64 = first.fetch_one(&mut reader).await?;
        return Ok(iter::once(first..i64::MAX).collect());
    }
    let blocks = i64::try_from(count).unwrap_or(i64::MAX) / BLOCK + 1;
    let starts = query(format!(
        "select nextval('{SEQUENCE}') from generate_series(1, $1)"
    ));
    let starts: Vec<i64> = starts.bind(blocks).fetch_all(&mut reader).await?;
    Ok(starts.into_iter().map(|start| start..start + BLOCK).collect())
}
