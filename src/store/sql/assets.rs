use std::time::Duration;

use crate::{
    domain::Timestamp,
    store::{Asset, Store, StoreError, database::query},
};

/// Time for which files are kept that no process has confirmed: tabs of an old version may still be open.
const RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Store {
    /// Stores the files of this process, or confirms them, and deletes those of versions that are no longer used.
    pub async fn keep_assets(&self, assets: &[Asset], now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        // In the same order in all processes, to avoid deadlocks.
        for asset in assets {
            let confirmed = query("update assets set used_at = $2 where name = $1")
                .bind(&asset.name)
                .bind(now)
                .execute(&mut tx)
                .await?;
            if confirmed == 0 {
                query(
                    "insert into assets (name, content, used_at) values ($1, $2, $3) on conflict (name) do nothing",
                )
                .bind(&asset.name)
                .bind(&asset.content)
                .bind(now)
                .execute(&mut tx)
                .await?;
            }
        }
        query("delete from assets where used_at < $1")
            .bind(now.minus(RETENTION))
            .execute(&mut tx)
            .await?;
        tx.commit().await
    }

    /// Returns the content of a file, compressed with gzip.
    pub async fn asset(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        query("select content from assets where name = $1")
            .bind(name)
            .fetch_optional(&mut self.read().await?)
            .await
    }
}
