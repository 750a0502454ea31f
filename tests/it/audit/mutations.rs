//! Every mutation in the dashboard, the API and the command line writes an audit entry. Mutations are enumerated from
//! the routes, the OpenAPI document and the help texts, so a new mutation without an entry fails a test.

mod api;
mod commands;
mod dashboard;

use std::{collections::BTreeSet, path::Path};

use sqlx::{Connection, SqliteConnection};

/// Mutations without an audit entry: publishing, checks, previews, and browser preferences.
const WITHOUT_ENTRY: [&str; 13] = [
    "POST /api/v1/events",
    "POST /api/v1/events/batch",
    "POST /api/v1/webhooks/url-advice",
    "POST /api/v1/webhooks/preview-filter",
    "POST /integrations/webhook/actions/arrange",
    "POST /integrations/webhook/actions/preview-filter",
    "POST /integrations/webhook/actions/check-name",
    "POST /integrations/webhook/actions/check-url",
    "POST /integrations/webhook/actions/preview-recovery",
    "POST /settings/actions/set-theme",
    "POST /settings/actions/set-time-zone",
    "POST /settings/time-zone",
    "POST /theme",
];

/// The audit log of an SQLite database, read step by step.
pub(super) struct Log {
    url: String,
    read: usize,
    covered: BTreeSet<String>,
}

impl Log {
    pub(super) fn of(folder: &Path) -> Self {
        Self {
            url: format!("sqlite://{}", folder.join("caleida.db").display()),
            read: 0,
            covered: BTreeSet::new(),
        }
    }

    /// Returns the actions since the last call.
    pub(super) async fn new_actions(&mut self) -> Vec<String> {
        let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
        let actions: Vec<String> = sqlx::query_scalar("select action from audit_log order by rowid")
            .fetch_all(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        let new = actions[self.read..].to_vec();
        self.read = actions.len();
        new
    }

    /// Asserts that the mutation has written these entries and nothing else.
    async fn expect(&mut self, mutation: &str, actions: &[&str]) {
        assert_eq!(self.new_actions().await, actions, "{mutation}");
        self.covered.insert(mutation.to_owned());
    }

    fn assert_covers(&self, mutations: BTreeSet<String>) {
        let missing: Vec<_> = mutations.difference(&self.covered).collect();
        assert!(missing.is_empty(), "no audit entry is tested for {missing:#?}");
        let gone: Vec<_> = self.covered.difference(&mutations).collect();
        assert!(gone.is_empty(), "no such mutation: {gone:#?}");
    }
}

fn without_exceptions(mutations: impl Iterator<Item = String>) -> BTreeSet<String> {
    mutations
        .filter(|mutation| !WITHOUT_ENTRY.contains(&&**mutation))
        .collect()
}
