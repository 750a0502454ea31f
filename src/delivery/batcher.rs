//! Groups queued items into batches for one commit. The batcher waits for more items only under load.

use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

/// Takes the items of a queue in batches.
pub(super) struct Batcher<T> {
    queue: mpsc::Receiver<T>,
    max_size: usize,
    max_wait: Duration,
    /// Size of the previous batch, which predicts the size of the next one.
    previous_size: usize,
}

impl<T> Batcher<T> {
    /// Creates a batcher. The first item of a batch waits at most `max_wait` for the others.
    pub(super) fn new(queue: mpsc::Receiver<T>, max_size: usize, max_wait: Duration) -> Self {
        Self {
            queue,
            max_size,
            max_wait,
            previous_size: 1,
        }
    }

    /// Fills the empty batch. A single item is returned at once if the previous batch also had one. Returns `false`
    /// once the queue is closed.
    pub(super) async fn next(&mut self, batch: &mut Vec<T>) -> bool {
        if self.queue.recv_many(batch, self.max_size).await == 0 {
            return false;
        }
        let deadline = Instant::now() + self.max_wait;
        while batch.len() < self.previous_size {
            let room = self.max_size - batch.len();
            match timeout_at(deadline, self.queue.recv_many(batch, room)).await {
                Ok(received) if received > 0 => {}
                _ => break,
            }
        }
        self.previous_size = batch.len();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_WAIT: Duration = Duration::from_millis(2);

    #[tokio::test(start_paused = true)]
    async fn single_item_does_not_wait() {
        let (sender, queue) = mpsc::channel(10);
        let mut batcher = Batcher::new(queue, 10, MAX_WAIT);
        let started = Instant::now();
        for n in 0..3 {
            sender.send(n).await.unwrap();
            let mut batch = Vec::new();
            assert!(batcher.next(&mut batch).await);
            assert_eq!((batch, started.elapsed()), (vec![n], Duration::ZERO));
        }
        drop(sender);
        assert!(!batcher.next(&mut Vec::new()).await);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_for_more_items_up_to_the_limit() {
        let (sender, queue) = mpsc::channel(10);
        let mut batcher = Batcher::new(queue, 10, MAX_WAIT);
        for n in 0..3 {
            sender.send(n).await.unwrap();
        }
        assert!(batcher.next(&mut Vec::new()).await);

        let started = Instant::now();
        sender.send(3).await.unwrap();
        tokio::spawn(async move {
            tokio::time::sleep(MAX_WAIT / 2).await;
            sender.send(4).await.unwrap();
            std::future::pending::<()>().await;
        });
        let mut batch = Vec::new();
        assert!(batcher.next(&mut batch).await);
        assert_eq!((batch, started.elapsed()), (vec![3, 4], MAX_WAIT));
    }

    #[tokio::test(start_paused = true)]
    async fn batch_size_is_limited() {
        let (sender, queue) = mpsc::channel(10);
        let mut batcher = Batcher::new(queue, 2, MAX_WAIT);
        for n in 0..5 {
            sender.send(n).await.unwrap();
        }
        drop(sender);
        let mut sizes = Vec::new();
        let mut batch = Vec::new();
        while batcher.next(&mut batch).await {
            sizes.push(batch.len());
            batch.clear();
        }
        assert_eq!(sizes, [2, 2, 1]);
    }
}
