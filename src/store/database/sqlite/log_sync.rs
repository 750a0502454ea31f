//! Group commit: one sync of the write-ahead log for all commits that are waiting.
//!
//! SQLite can sync the log within each commit, but then no other transaction can write until the sync ends. Here, a
//! commit only appends to the log and is confirmed by the next sync. Other transactions can run during the sync.

use std::{fs::File, io, path::Path, sync::Arc, thread};

use tokio::sync::{mpsc, oneshot};

use crate::store::StoreError;

/// A thread that syncs the log on request. Cheap to clone. The thread ends with the last clone.
#[derive(Clone)]
pub(super) struct LogSync(mpsc::UnboundedSender<Waiting>);

/// Receives the result of the sync.
type Waiting = oneshot::Sender<Result<(), Arc<io::Error>>>;

impl LogSync {
    /// Opens the log at this path. SQLite keeps the file for as long as the database is open.
    pub(super) fn open(log: &Path) -> io::Result<Self> {
        let file = File::open(log)?;
        // The log may be new, and syncing a file does not sync its directory entry on every file system.
        if let Some(directory) = log.parent() {
            File::open(directory)?.sync_all()?;
        }
        Self::start(file)
    }

    pub(super) fn start(log: File) -> io::Result<Self> {
        let (sender, waiting) = mpsc::unbounded_channel();
        thread::Builder::new()
            .name("sqlite-sync".to_owned())
            .spawn(move || run(&log, waiting))?;
        Ok(Self(sender))
    }

    /// Fails after a failed sync. The operating system may have dropped the pages that it could not write, and reports
    /// the error only once. A later sync would succeed, although the dropped pages and all commits after them would be
    /// lost.
    pub(super) fn require_working(&self) -> Result<(), StoreError> {
        if self.0.is_closed() {
            return Err(StoreError::unavailable(
                "the disk failed to store the write-ahead log; check the disk, then restart",
            ));
        }
        Ok(())
    }

    /// Returns when all commits before the call are on the disk.
    pub(super) async fn sync(&self) -> Result<(), StoreError> {
        let (sender, synced) = oneshot::channel();
        // Fails if the thread has ended. Then `synced` also fails.
        let _ = self.0.send(sender);
        match synced.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(StoreError::CommitUnknown(error.into())),
            Err(ended) => Err(StoreError::CommitUnknown(ended.into())),
        }
    }
}

fn run(log: &File, mut waiting: mpsc::UnboundedReceiver<Waiting>) {
    let mut group = Vec::new();
    while waiting.blocking_recv_many(&mut group, usize::MAX) > 0 {
        let synced = log.sync_data().map_err(Arc::new);
        if let Err(error) = &synced {
            tracing::error!(%error, "failed to sync the write-ahead log");
            // Before a caller learns of the error: none may then begin another transaction.
            waiting.close();
        }
        for waiting in group.drain(..) {
            let _ = waiting.send(synced.clone());
        }
        if synced.is_err() {
            return;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    /// Returns a `LogSync` of a file that cannot be synced.
    pub(in crate::store::database::sqlite) fn broken() -> LogSync {
        let (reader, _writer) = io::pipe().unwrap();
        LogSync::start(File::from(OwnedFd::from(reader))).unwrap()
    }

    #[tokio::test]
    async fn all_waiting_commits_are_confirmed() {
        let log = LogSync::start(tempfile::tempfile().unwrap()).unwrap();
        let syncing: Vec<_> = (0..100)
            .map(|_| {
                let log = log.clone();
                tokio::spawn(async move { log.sync().await })
            })
            .collect();
        for synced in syncing {
            synced.await.unwrap().unwrap();
        }
        log.require_working().unwrap();
    }

    #[tokio::test]
    async fn no_commit_is_confirmed_after_a_failed_sync() {
        let log = broken();
        for _ in 0..3 {
            let failed = log.sync().await.unwrap_err();
            assert!(matches!(failed, StoreError::CommitUnknown(_)), "{failed}");
        }
        let failed = log.require_working().unwrap_err();
        assert!(matches!(failed, StoreError::Unavailable(_)), "{failed}");
    }
}
