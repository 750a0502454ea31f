//! The server: starts the dashboard, the API and the delivery engine in one process, and stops them.

mod assets;
mod caller;
pub mod clock;
pub mod config;
mod first_admin;
mod headers;
mod housekeeping;
pub mod http;
mod layers;
pub mod master_key;
mod metrics;
pub mod process;
mod requests;
pub mod site;
pub mod telemetry;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{Api, Document},
    api_keys::ApiKeys,
    auth::Auth,
    delivery::{
        Deps, Engine, Wake,
        cluster::JoinError,
        gate::Gate,
        guard::Guard,
        sender::{ClientError, Sender},
    },
    domain::{Clock, ProcessId, PublicUrl},
    people::People,
    store::{self, Accounts, Member, Store, StoreError},
    submissions::Submissions,
    ui::{DeliveryPolicy, Ui},
    webhooks::Webhooks,
};
pub use config::{Config, Role};
pub use first_admin::FirstAdmin;
use http::Limits;
use metrics::Exposition;

/// Timeout of the last write before the engine stops.
const LAST_WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// A running server.
pub struct Server {
    /// Address that the server listens on, with the port that the system chose if port 0 is configured.
    pub address: SocketAddr,
    /// URL of the dashboard: the public URL or, if none is configured, the one on this machine.
    pub url: PublicUrl,
    /// Address of `/metrics`, unless it is off.
    pub metrics: Option<SocketAddr>,
    pub store: Arc<Store>,
    pub auth: Auth,
    pub wake: Arc<Wake>,
    /// The admin that this start created, if there were no users.
    pub first_admin: Option<FirstAdmin>,
    engine: Engine,
    grace: Duration,
    housekeeping: JoinHandle<()>,
    key_uses: JoinHandle<()>,
    confirmations: JoinHandle<()>,
    stop: CancellationToken,
    http: JoinHandle<()>,
    scrapes: Option<JoinHandle<()>>,
}

/// Error at startup. Its text is the one line that the operator sees.
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
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error(
        "cannot listen on {address} for metrics: {source}; if another Caleida runs on this machine, set \
         CALEIDA_METRICS_LISTEN to another address or to off"
    )]
    Metrics {
        address: SocketAddr,
        source: std::io::Error,
    },
}

impl Server {
    /// Opens the database, binds the addresses, and then starts the engine.
    pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let site = Arc::new(site::find(config.site_root.as_deref())?);
        let database = &config.database.database_url;
        if config.role != Role::All && !store::is_postgres(database) {
            return Err(StartError::Config(format!(
                "--role {} requires a PostgreSQL database shared by all processes: set DATABASE_URL",
                config.role.as_str()
            )));
        }
        let store = store::open_to_serve(database).await?;
        let started = Self::start_on(Arc::clone(&store), config, clock, site).await;
        if started.is_err() {
            close(&store).await;
        }
        started
    }

    async fn start_on(
        store: Arc<Store>,
        config: Config,
        clock: Arc<dyn Clock>,
        site: Arc<site::SiteFolder>,
    ) -> Result<Self, StartError> {
        let vault = Arc::new(master_key::vault(&config.keys, &store).await?);
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|source| StartError::Listen {
                address: config.listen,
                source,
            })?;
        let address = listener.local_addr().unwrap_or(config.listen);
        let metrics_listener = match config.metrics_listen.0 {
            Some(address) => Some(
                TcpListener::bind(address)
                    .await
                    .map_err(|source| StartError::Metrics { address, source })?,
            ),
            None => None,
        };
        let metrics = metrics_listener
            .as_ref()
            .and_then(|listener| listener.local_addr().ok());
        let exposition = Exposition::new(config.role.as_str(), &*clock);

        let auth = Auth::new(Arc::clone(&store), Arc::clone(&clock));
        let first_admin = first_admin::ensure(&config, &auth, &store, &*clock).await?;

        let guard = Arc::new(Guard::new(config.allow_networks.to_vec()));
        let gate = Gate::new(Arc::clone(&store), Arc::clone(&vault));
        let wake = Arc::new(Wake::default());
        let engine = Engine::start(Deps {
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
                master_key_id: vault.key_id().to_owned(),
                decryption_key_ids: vault.key_ids().map(str::to_owned).collect(),
            },
            caches: vec![auth.cache()],
            delivers: config.role.delivers(),
            metrics: exposition.engine.clone(),
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
            max_webhooks: config.max_webhooks,
        };

        let url = dashboard_url(config.public_url.as_ref(), address);
        let document = Arc::new(Document::new(&url));
        let api = Api {
            auth: auth.clone(),
            accounts: Accounts::new(Arc::clone(&store)),
            intake: engine.intake.clone(),
            webhooks: webhooks.clone(),
            clock: Arc::clone(&clock),
            limits: Arc::new(config.limits()),
            document: Arc::clone(&document),
        };
        let stop = CancellationToken::new();
        let ui = Ui {
            accounts: Accounts::new(Arc::clone(&store)),
            people: People::new(Arc::clone(&store)),
            submissions: Submissions {
                store: Arc::clone(&store),
                clock: Arc::clone(&clock),
            },
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
            delivery_policy: Arc::new(DeliveryPolicy {
                schedule: config.retry_schedule.clone(),
                timeout: config.delivery_timeout,
                retention: config.retention,
            }),
            public_url: config.public_url.clone(),
            local_url: url.clone(),
            api: Arc::clone(&document.description),
        };
        let housekeeping = tokio::spawn(housekeeping::run(
            Arc::clone(&store),
            Arc::clone(&clock),
            config.retention,
        ));
        let key_uses = tokio::spawn(housekeeping::flush_key_uses(auth.clone()));
        let assets = site.assets();
        // Before the first page is served, which may lead a browser to a process of another version.
        store.keep_assets(&assets, clock.now()).await?;
        let confirmations = assets::confirm(Arc::clone(&store), Arc::clone(&clock), assets);
        let confirmations = tokio::spawn(confirmations);
        let limits = Limits::default();
        let http = if config.role.serves() {
            let app = layers::assemble(ui, api, &site, &store, &clock, &config);
            tokio::spawn(http::serve(listener, app, limits, stop.clone()))
        } else {
            let app = layers::worker(&store, &config);
            tokio::spawn(http::serve(listener, app, limits, stop.clone()))
        };
        let scrapes = metrics_listener.map(|listener| {
            let exposition = exposition.router(Arc::clone(&store), Arc::clone(&clock), engine.slots.clone());
            let app = layers::metrics(exposition);
            // Stopped last, so that the shutdown can be monitored.
            tokio::spawn(http::serve(listener, app, limits, CancellationToken::new()))
        });
        Ok(Self {
            address,
            url,
            metrics,
            store,
            auth,
            wake,
            first_admin,
            engine,
            grace: config.shutdown_grace,
            housekeeping,
            key_uses,
            confirmations,
            stop,
            http,
            scrapes,
        })
    }

    /// Stops accepting requests, then stops the engine. Each gets the grace period to finish what is in progress. Then
    /// closes the database.
    pub async fn stop(self) {
        self.stop.cancel();
        if tokio::time::timeout(self.grace, self.http).await.is_err() {
            tracing::warn!("grace period exceeded, requests aborted");
        }
        self.housekeeping.abort();
        self.key_uses.abort();
        self.confirmations.abort();
        // No request uses an API key any more. The timeout keeps a database that is away from blocking the shutdown.
        match tokio::time::timeout(LAST_WRITE_TIMEOUT, self.auth.flush_key_uses()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "failed to update the last use of API keys"),
            Err(elapsed) => tracing::warn!(error = %elapsed, "failed to update the last use of API keys"),
        }
        self.engine.stop(self.grace).await;
        if let Some(scrapes) = self.scrapes {
            scrapes.abort();
        }
        close(&self.store).await;
    }
}

async fn close(store: &Store) {
    if let Err(error) = store.close().await {
        tracing::warn!(%error, "failed to close the database");
    }
}

/// Returns the URL of the dashboard, and logs a warning if links to it may work only on this machine.
fn dashboard_url(configured: Option<&PublicUrl>, address: SocketAddr) -> PublicUrl {
    if configured.is_none() && address.ip().is_unspecified() {
        tracing::warn!(
            "no public URL is configured, links by commands work only on this machine: set CALEIDA_PUBLIC_URL"
        );
    }
    configured.cloned().unwrap_or_else(|| config::local_url(address))
}
