//! Event keys: integers that deliveries refer to instead of event ids, which are strings chosen by publishers.

use std::{collections::VecDeque, iter, ops::Range};

use tokio::sync::Mutex;

use super::{
    StoreError,
    database::{Database, query},
};

/// PostgreSQL sequence from which processes take blocks of keys.
pub(super) const SEQUENCE: &str = "event_keys";

/// Number of keys per block, which is the increment of the sequence. A crash loses the rest of a block, which does no
/// harm.
const BLOCK_SIZE: i64 = 1_000;

/// Blocks of unused keys of this process.
#[derive(Default)]
pub(super) struct EventKeys(Mutex<VecDeque<Range<i64>>>);

impl EventKeys {
    /// Returns `count` unused keys.
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
                None => blocks.extend(fetch_blocks(count - keys.len(), database).await?),
            }
        }
        Ok(keys)
    }
}

async fn fetch_blocks(count: usize, database: &Database) -> Result<Vec<Range<i64>>, StoreError> {
    let mut reader = database.read().await?;
    if database.shared().is_none() {
        // This is the only process, so all keys belong to it.
        let first = query("select coalesce(max(key), 0) + 1 from events");
        let first: i64 = first.fetch_one(&mut reader).await?;
        return Ok(iter::once(first..i64::MAX).collect());
    }
    let blocks = i64::try_from(count).unwrap_or(i64::MAX) / BLOCK_SIZE + 1;
    let starts = query(format!(
        "select nextval('{SEQUENCE}') from generate_series(1, $1)"
    ));
    let starts: Vec<i64> = starts.bind(blocks).fetch_all(&mut reader).await?;
    Ok(starts
        .into_iter()
        .map(|start| start..start + BLOCK_SIZE)
        .collect())
}
