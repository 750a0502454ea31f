//! `caleida rotate-master-key`: every secret under another master key, while everything runs.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    server::{
        clock::SystemClock,
        config::{Database, MasterKeys},
        master_key,
    },
    store::{self, ProcessRow},
    vault::rotation::{self, Resealing},
};

#[derive(clap::Args)]
pub struct RotateMasterKeyArgs {
    /// The file with the new master key; made, with a new key, if it does not exist
    #[arg(long, value_name = "PATH")]
    new_key_file: PathBuf,
    #[command(flatten)]
    keys: MasterKeys,
    #[command(flatten)]
    database: Database,
}

/// Seals anew what another key has sealed, and says what is still to be done. It can be interrupted and begun again.
pub async fn run(args: RotateMasterKeyArgs) -> Result<(), String> {
    let path = args.new_key_file.display().to_string();
    let store = store::open(&args.database.database_url)
        .await
        .map_err(|error| error.to_string())?;
    let vault = master_key::rotating_to(&args.new_key_file, &args.keys, &store)
        .await
        .map_err(|error| error.to_string())?;
    let processes = store.processes().await.map_err(|error| error.to_string())?;
    refuse_if_any_could_not_open(&processes, vault.key_id(), &path)?;

    let bar = ProgressBar::new_spinner().with_style(style());
    let done = rotation::reseal(&vault, &store, &SystemClock, &|resealed| {
        bar.set_position(resealed);
    })
    .await;
    bar.finish_and_clear();
    let Resealing { resealed, damaged } =
        done.map_err(|error| format!("{error}; what was sealed anew stays so: run the same command again"))?;
    println!("Sealed anew with the key in {path}: the secrets of {resealed} webhooks.");
    if !damaged.is_empty() {
        let ids: Vec<_> = damaged.iter().map(ToString::to_string).collect();
        return Err(format!(
            "these secrets are damaged and open with no key; give the webhooks new ones: {}",
            ids.join(", ")
        ));
    }
    println!("{}", what_is_left(&processes, vault.key_id(), &path));
    Ok(())
}

/// What such a process is to send would fail from now on.
fn refuse_if_any_could_not_open(processes: &[ProcessRow], key_id: &str, path: &str) -> Result<(), String> {
    let blind: Vec<_> = processes
        .iter()
        .filter(|process| !process.opens.iter().any(|id| id == key_id))
        .map(|process| format!("{} ({})", process.id, process.role))
        .collect();
    if blind.is_empty() {
        return Ok(());
    }
    Err(format!(
        "nothing was changed, because these processes could not open what the key in {path} seals: {}; restart them \
         with CALEIDA_PREVIOUS_MASTER_KEY_FILE={path}, then run the same command again. If one of them has died, it \
         is forgotten when another one starts",
        blind.join(", ")
    ))
}

fn what_is_left(processes: &[ProcessRow], key_id: &str, path: &str) -> String {
    if processes.iter().all(|process| process.master_key_id == key_id) {
        format!(
            "Start Caleida with CALEIDA_MASTER_KEY_FILE={path} from now on, and without CALEIDA_PREVIOUS_MASTER_KEY_FILE. \
             Keep the key before it for as long as you keep backups that it has sealed."
        )
    } else {
        format!(
            "Processes still seal with the key before it. Restart them with CALEIDA_MASTER_KEY_FILE={path} and \
             CALEIDA_PREVIOUS_MASTER_KEY_FILE with the one before it, then run the same command again."
        )
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {human_pos} webhooks  {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}
