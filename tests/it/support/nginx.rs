//! A real nginx, with a temporary configuration.

use std::{collections::BTreeSet, fs};

use rustls::pki_types::CertificateDer;
use tempfile::TempDir;

use super::{
    app::eventually,
    certificate::{Certificate, Identity},
    guarded::Guarded,
};

/// A running server.
pub struct Nginx {
    /// The authority that issued its certificate.
    pub authority: CertificateDer<'static>,
    // Before the folder, so that it ends first.
    _server: Guarded,
    folder: TempDir,
}

impl Nginx {
    /// Starts nginx with this `server` block, which listens on `port`. Its certificate is in `certificate.pem` and
    /// `key.pem`.
    pub async fn start(port: u16, server: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::make(Certificate::Good);
        identity.write_pem(folder.path());
        fs::write(folder.path().join("nginx.conf"), configuration(server)).unwrap();
        let path = folder.path().to_str().unwrap();
        let configuration = format!("{path}/nginx.conf");
        let command = ["nginx", "-p", path, "-c", &configuration, "-e", "stderr"];
        Self {
            authority: identity.authority,
            _server: Guarded::start(&command, folder.path(), port).await,
            folder,
        }
    }

    /// Waits until nginx has logged as many requests, which it does after its responses. Returns a line for each
    /// request: connection, status and protocol.
    pub async fn wait_for_requests(&self, count: usize) -> Vec<String> {
        let logged = eventually(async || Some(self.requests()).filter(|lines| lines.len() >= count));
        logged
            .await
            .unwrap_or_else(|| panic!("{} of {count} requests are logged", self.requests().len()))
    }

    fn requests(&self) -> Vec<String> {
        self.read("access.log").lines().map(str::to_owned).collect()
    }

    /// Returns the number of connections that had requests.
    pub fn connections(&self) -> usize {
        let requests = self.requests();
        let connections: BTreeSet<_> = requests.iter().map(|line| line.split(' ').next()).collect();
        connections.len()
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap_or_default()
    }
}

fn configuration(server: &str) -> String {
    // A single process, which ends with the guardian. It writes only to its folder.
    format!(
        "daemon off; master_process off; pid nginx.pid;
         events {{ worker_connections 1024; }}
         http {{
             log_format requests '$connection $status $server_protocol';
             access_log access.log requests;
             client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
             uwsgi_temp_path uwsgi; scgi_temp_path scgi;
             {server}
         }}"
    )
}
