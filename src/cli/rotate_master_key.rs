//! `caleida rotate-master-key`: re-encrypts all webhook secrets with another master key while servers keep running.

use std::{path::PathBuf, process::ExitCode};

use indicatif::{ProgressBar, ProgressStyle};

use super::terminal::print_line;
use crate::{
    server::{
        clock::SystemClock,
        config::{Database, MasterKeys},
        master_key,
    },
    store::{ProcessRow, Store},
    vault::rotation::{self, ResealReport},
};

#[derive(clap::Args)]
pub struct RotateMasterKeyArgs {
    /// File with the new master key; created with a generated key if it does not exist
    #[arg(long, value_name = "PATH")]
    new_key_file: PathBuf,
    #[command(flatten)]
    keys: MasterKeys,
    #[command(flatten)]
    database: Database,
}

/// Re-encrypts secrets that are encrypted with another key, then prints the next steps. Can be interrupted and
/// repeated.
pub async fn run(args: RotateMasterKeyArgs) -> ExitCode {
    super::on_database(&args.database, async |store| rotate(&args, &store).await).await
}

async fn rotate(args: &RotateMasterKeyArgs, store: &Store) -> Result<(), String> {
    let path = args.new_key_file.display().to_string();
    let vault = master_key::rotating_to(&args.new_key_file, &args.keys, store)
        .await
        .map_err(|error| error.to_string())?;
    let processes = store.processes().await.map_err(|error| error.to_string())?;
    check_processes(&processes, vault.key_id(), &path)?;

    let bar = ProgressBar::new_spinner().with_style(style());
    let result = rotation::reseal(&vault, store, &SystemClock, &|resealed| {
        bar.set_position(resealed);
    })
    .await;
    bar.finish_and_clear();
    let ResealReport { resealed, damaged } = result.map_err(|error| {
        format!("{error}; some secrets may be re-encrypted already: run the same command again")
    })?;
    let report = format_args!("Webhooks with secrets re-encrypted with the key in {path}: {resealed}.");
    print_line(report).map_err(|error| error.to_string())?;
    if !damaged.is_empty() {
        let ids: Vec<_> = damaged.iter().map(ToString::to_string).collect();
        return Err(format!(
            "the secrets of these webhooks are damaged and cannot be decrypted; set new ones: {}",
            ids.join(", ")
        ));
    }
    print_line(next_steps(&processes, vault.key_id(), &path)).map_err(|error| error.to_string())
}

/// Fails if a process does not have the new key: its deliveries would fail after the rotation.
fn check_processes(processes: &[ProcessRow], key_id: &str, path: &str) -> Result<(), String> {
    let without_key: Vec<_> = processes
        .iter()
        .filter(|process| !process.decryption_key_ids.iter().any(|id| id == key_id))
        .map(|process| format!("{} ({})", process.id, process.role))
        .collect();
    if without_key.is_empty() {
        return Ok(());
    }
    Err(format!(
        "nothing was changed, because these processes do not have the key in {path}: {}; restart them with \
         CALEIDA_PREVIOUS_MASTER_KEY_FILE={path}, then run the same command again. A process that has crashed is \
         removed when another one starts",
        without_key.join(", ")
    ))
}

fn next_steps(processes: &[ProcessRow], key_id: &str, path: &str) -> String {
    if processes.iter().all(|process| process.master_key_id == key_id) {
        format!(
            "Start Caleida with CALEIDA_MASTER_KEY_FILE={path} from now on, and without \
             CALEIDA_PREVIOUS_MASTER_KEY_FILE. Keep the previous key for as long as you keep backups that need it."
        )
    } else {
        format!(
            "Some processes still encrypt with the previous key. Restart them with CALEIDA_MASTER_KEY_FILE={path} and \
             CALEIDA_PREVIOUS_MASTER_KEY_FILE set to the file of the previous key, then run the same command again."
        )
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {human_pos} webhooks  {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}
