//! Assembly: what the parts are given, in which order the layers stand, how it starts and stops.

pub mod clock;
pub mod config;
mod first_admin;
mod housekeeping;
mod layers;
mod master_key;
pub mod site;
pub mod telemetry;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{self, Api},
    api_keys::ApiKeys,
    auth::Auth,
    delivery::{
        Engine, Parts, Wake,
        cluster::JoinError,
        gate::Gate,
        guard::Guard,
        sender::{ClientError, Sender},
    },
    domain::{Clock, ProcessId},
    store::{self, Member, Store, StoreError},
    ui::{Terms, Ui},
    vault::Vault,
    webhooks::Webhooks,
};
pub use config::{Config, Role};
pub use first_admin::FirstAdmin;

/// Dashboard, API and delivery engine in one process.
pub struct Server {
    /// Where it really listens: the system chooses the port if the configuration says 0.
    pub address: SocketAddr,
    pub store: Arc<dyn Store>,
    pub auth: Auth,
    pub wake: Arc<Wake>,
    /// Made by this start, if there was nobody yet.
    pub first_admin: Option<FirstAdmin>,
    engine: Engine,
    grace: Duration,
    housekeeping: JoinHandle<()>,
    key_uses: JoinHandle<()>,
    stop: CancellationToken,
    http: JoinHandle<std::io::Result<()>>,
}

/// Why it does not start: the text is the one line that the operator reads.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0}")]
    Config(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Join(#[from] JoinError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{address} cannot be listened on: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
}

impl Server {
    /// Opens the database, binds the address, and only then starts to deliver.
    pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let site = Arc::new(site::find(config.site_root.as_deref())?);
        let database = &config.database.database_url;
        if config.role != Role::All && !store::is_postgres(database) {
            return Err(StartError::Config(format!(
                "--role {} takes a PostgreSQL that other processes share: set DATABASE_URL to it",
                config.role.as_str()
            )));
        }
        let store = store::open(database).await?;
        let vault = Arc::new(Vault::new(&master_key::load(&config, &*store).await?));
        master_key::check(&vault, &*store).await?;
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|source| StartError::Listen {
                address: config.listen,
                source,
            })?;
        let address = listener.local_addr().unwrap_or(config.listen);

        let auth = Auth::new(Arc::clone(&store), Arc::clone(&clock));
        let first_admin = first_admin::ensure(&config, &auth, &*store, &*clock).await?;

        let guard = Arc::new(Guard::new(config.allow_networks.to_vec()));
        let gate = Gate::new(Arc::clone(&store), Arc::clone(&vault));
        let wake = Arc::new(Wake::default());
        let engine = Engine::start(Parts {
            store: Arc::clone(&store),
            gate: Arc::clone(&gate),
            sender: Sender::new(Arc::clone(&guard), config.delivery_timeout, Vec::new())?,
            clock: Arc::clone(&clock),
            wake: Arc::clone(&wake),
            schedule: config.retry_schedule.clone(),
            timeout: config.delivery_timeout,
            member: Member {
                id: ProcessId::generate(clock.now()),
                role: config.role.as_str(),
                version: env!("CARGO_PKG_VERSION"),
                master_key_id: vault.key_id().to_owned(),
            },
            memories: vec![auth.memory()],
            delivers: config.role.delivers(),
        })
        .await?;
        let webhooks = Webhooks {
            store: Arc::clone(&store),
            vault,
            gate,
            slots: engine.slots.clone(),
            cluster: engine.cluster.clone(),
            tester: engine.tester.clone(),
            guard: Arc::clone(&guard),
            wake: Arc::clone(&wake),
            clock: Arc::clone(&clock),
            transport: config.transport(),
        };

        let api = api::router(Api {
            auth: auth.clone(),
            store: Arc::clone(&store),
            intake: engine.intake.clone(),
            webhooks: webhooks.clone(),
            clock: Arc::clone(&clock),
        });
        let stop = CancellationToken::new();
        let ui = Ui {
            store: Arc::clone(&store),
            api_keys: ApiKeys {
                store: Arc::clone(&store),
                auth: auth.clone(),
                clock: Arc::clone(&clock),
            },
            webhooks,
            auth: auth.clone(),
            guard,
            clock: Arc::clone(&clock),
            transport: config.transport(),
            site: Arc::clone(&site.names),
            terms: Arc::new(Terms {
                schedule: config.retry_schedule.clone(),
                timeout: config.delivery_timeout,
            }),
            public_url: config::public_url(config.public_url.as_deref(), address).into(),
            stopping: stop.clone(),
        };
        let router = if config.role.serves() {
            layers::assemble(ui, api, &site, &store, &clock, &config)
        } else {
            layers::health_alone(&store)
        };
        let housekeeping = tokio::spawn(housekeeping::run(
            Arc::clone(&store),
            Arc::clone(&clock),
            config.retention,
        ));
        let key_uses = tokio::spawn(housekeeping::write_key_uses(auth.clone()));
        let http = tokio::spawn(
            axum::serve(
                listener,
                router.into_make_service_with_connect_info::<SocketAddr>(),
            )
            .with_graceful_shutdown(stop.clone().cancelled_owned())
            .into_future(),
        );
        Ok(Self {
            address,
            store,
            auth,
            wake,
            first_admin,
            engine,
            grace: config.shutdown_grace,
            housekeeping,
            key_uses,
            stop,
            http,
        })
    }

    /// Stops taking requests, then delivering: what is under way may finish within the grace.
    pub async fn stop(self) {
        self.stop.cancel();
        if tokio::time::timeout(self.grace, self.http).await.is_err() {
            tracing::warn!("requests were cut off after the grace period");
        }
        self.housekeeping.abort();
        self.key_uses.abort();
        // Nobody uses one any more.
        if let Err(error) = self.auth.write_key_uses().await {
            tracing::warn!(%error, "when keys were last used is not known to the minute");
        }
        self.engine.stop(self.grace).await;
    }
}
