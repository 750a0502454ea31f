//! Many who publish at once, and what became of it.

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

/// How often each event arrived, by its id.
pub fn arrivals(receiver: &Receiver) -> HashMap<String, usize> {
    let mut arrivals = HashMap::new();
    for call in receiver.received() {
        *arrivals.entry(call.header("webhook-id").to_owned()).or_default() += 1;
    }
    arrivals
}

/// Publishers that, like real ones, repeat under the same id what was not answered, or with 503.
pub struct Publishers {
    accepted: Arc<Mutex<BTreeSet<String>>>,
    servers: watch::Sender<Vec<Api>>,
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

impl Publishers {
    /// To these servers in turn.
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
                        let now = servers.borrow_and_update().clone();
                        let Some(server) = now.get(turn % now.len().max(1)) else {
                            let _ = servers.changed().await;
                            continue;
                        };
                        match server.publish(&id).await {
                            Ok(answer) if answer.status().is_success() => break,
                            Ok(answer) if answer.status() != StatusCode::SERVICE_UNAVAILABLE => {
                                panic!("{}", answer.status())
                            }
                            // Nobody there at this moment.
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

    /// From now on to these.
    pub fn publish_to(&self, servers: Vec<Api>) {
        self.servers.send_replace(servers);
    }

    pub fn accepted(&self) -> usize {
        self.accepted.lock().unwrap().len()
    }

    /// Answers what was accepted.
    pub async fn stop(mut self) -> BTreeSet<String> {
        self.stop.store(true, Ordering::Relaxed);
        // Those that wait for a server hear of it too.
        self.servers.send_modify(|_| {});
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        std::mem::take(&mut *self.accepted.lock().unwrap())
    }
}
