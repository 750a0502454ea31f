//! Concurrent publishers, and the events that arrive at a receiver.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::StatusCode;
use tokio::{sync::watch, task::JoinSet};

use super::{program::Api, receiver::Receiver};

/// Returns how often each event arrived, by event ID.
pub fn arrivals(receiver: &Receiver) -> HashMap<String, usize> {
    let mut arrivals = HashMap::new();
    for call in receiver.received() {
        *arrivals.entry(call.header("webhook-id").to_owned()).or_default() += 1;
    }
    arrivals
}

/// Publishers that retry with the same ID if a request fails or returns 503.
pub struct Publishers {
    accepted: Arc<Mutex<BTreeSet<String>>>,
    servers: watch::Sender<Vec<Api>>,
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

impl Publishers {
    /// Starts `count` publishers, each of which uses the servers in turn.
    pub fn start(count: usize, servers: Vec<Api>) -> Self {
        let (servers, stop) = (watch::Sender::new(servers), Arc::new(AtomicBool::new(false)));
        let accepted = Arc::<Mutex<BTreeSet<String>>>::default();
        let mut tasks = JoinSet::new();
        for publisher in 0..count {
            let (mut servers, stop, accepted) =
                (servers.subscribe(), Arc::clone(&stop), Arc::clone(&accepted));
            tasks.spawn(async move {
                for number in 0.. {
                    let id = format!("{publisher}-{number}");
                    for turn in publisher + number.. {
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                        let current = servers.borrow_and_update().clone();
                        let Some(server) = current.get(turn % current.len().max(1)) else {
                            let _ = servers.changed().await;
                            continue;
                        };
                        match server.publish(&id).await {
                            Ok(response) if response.status().is_success() => break,
                            Ok(response) if response.status() != StatusCode::SERVICE_UNAVAILABLE => {
                                panic!("{}", response.status())
                            }
                            // The server or its database is unavailable.
                            _ => tokio::time::sleep(Duration::from_millis(5)).await,
                        }
                    }
                    accepted.lock().unwrap().insert(id);
                }
            });
        }
        Self {
            accepted,
            servers,
            stop,
            tasks,
        }
    }

    /// Replaces the servers.
    pub fn publish_to(&self, servers: Vec<Api>) {
        self.servers.send_replace(servers);
    }

    /// Number of events accepted so far.
    pub fn accepted(&self) -> usize {
        self.accepted.lock().unwrap().len()
    }

    /// Stops publishing and returns the IDs of the accepted events.
    pub async fn stop(mut self) -> BTreeSet<String> {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes publishers that wait for a server.
        self.servers.send_modify(|_| {});
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        std::mem::take(&mut *self.accepted.lock().unwrap())
    }
}
