//! Batches for a commit: the more come at the same time, the longer it pays to wait for a few more of them.

use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

/// Takes what waits in a queue, in batches.
pub(super) struct Gather<T> {
    queue: mpsc::Receiver<T>,
    most: usize,
    patience: Duration,
    /// How many came the last time. About as many can be expected again.
    last: usize,
}

impl<T> Gather<T> {
    /// Batches of at most `most`; the first of a batch waits `patience` at most for the others.
    pub(super) fn new(queue: mpsc::Receiver<T>, most: usize, patience: Duration) -> Self {
        Self {
            queue,
            most,
            patience,
            last: 1,
        }
    }

    /// Fills the empty batch. Who comes alone, as the one before, is not kept waiting. False at the end.
    pub(super) async fn next(&mut self, batch: &mut Vec<T>) -> bool {
        if self.queue.recv_many(batch, self.most).await == 0 {
            return false;
        }
        let deadline = Instant::now() + self.patience;
        while batch.len() < self.last {
            let room = self.most - batch.len();
            match timeout_at(deadline, self.queue.recv_many(batch, room)).await {
                Ok(more) if more > 0 => {}
                _ => break,
            }
        }
        self.last = batch.len();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(2);

    #[tokio::test(start_paused = true)]
    async fn one_alone_does_not_wait() {
        let (sender, queue) = mpsc::channel(10);
        let mut gather = Gather::new(queue, 10, PATIENCE);
        let started = Instant::now();
        for n in 0..3 {
            sender.send(n).await.unwrap();
            let mut batch = Vec::new();
            assert!(gather.next(&mut batch).await);
            assert_eq!((batch, started.elapsed()), (vec![n], Duration::ZERO));
        }
        drop(sender);
        assert!(!gather.next(&mut Vec::new()).await);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_came_together_are_waited_for_but_not_for_long() {
        let (sender, queue) = mpsc::channel(10);
        let mut gather = Gather::new(queue, 10, PATIENCE);
        for n in 0..3 {
            sender.send(n).await.unwrap();
        }
        assert!(gather.next(&mut Vec::new()).await);

        let started = Instant::now();
        sender.send(3).await.unwrap();
        tokio::spawn(async move {
            tokio::time::sleep(PATIENCE / 2).await;
            sender.send(4).await.unwrap();
            std::future::pending::<()>().await;
        });
        let mut batch = Vec::new();
        assert!(gather.next(&mut batch).await);
        assert_eq!((batch, started.elapsed()), (vec![3, 4], PATIENCE));
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_has_its_limit() {
        let (sender, queue) = mpsc::channel(10);
        let mut gather = Gather::new(queue, 2, PATIENCE);
        for n in 0..5 {
            sender.send(n).await.unwrap();
        }
        drop(sender);
        let mut sizes = Vec::new();
        let mut batch = Vec::new();
        while gather.next(&mut batch).await {
            sizes.push(batch.len());
            batch.clear();
        }
        assert_eq!(sizes, [2, 2, 1]);
    }
}
