//! Where the master key comes from, and that it is the one that the database was written with.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{Config, StartError};
use crate::{
    store::Store,
    vault::{MASTER_KEY_LENGTH, Vault},
};

type MasterKey = Zeroizing<[u8; MASTER_KEY_LENGTH]>;

/// From the configuration, from its file, or made and written to its file if nothing is sealed yet.
pub(super) async fn load(config: &Config, store: &dyn Store) -> Result<MasterKey, StartError> {
    if let Some(text) = &config.master_key {
        return parse(text).ok_or_else(|| wrong("CALEIDA_MASTER_KEY"));
    }
    let path = config.master_key_file.as_path();
    match fs::read_to_string(path).map(Zeroizing::new) {
        Ok(text) => parse(&text).ok_or_else(|| wrong(&path.display().to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if !store.master_key_ids().await?.is_empty() {
                return Err(StartError::Config(format!(
                    "the master key is missing: the database holds sealed secrets, but there is no {}; restore it, \
                     or set CALEIDA_MASTER_KEY",
                    path.display()
                )));
            }
            create(path).map_err(|error| unreadable(path, &error))
        }
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// Refuses to start with another key than the secrets were sealed with: every delivery would fail.
pub(super) async fn check(vault: &Vault, store: &dyn Store) -> Result<(), StartError> {
    match store
        .master_key_ids()
        .await?
        .into_iter()
        .find(|id| id != vault.key_id())
    {
        None => Ok(()),
        Some(other) => Err(StartError::Config(format!(
            "this master key ({}) is not the one that the database's secrets were sealed with ({other})",
            vault.key_id()
        ))),
    }
}

fn create(path: &Path) -> io::Result<MasterKey> {
    let mut key = MasterKey::default();
    getrandom::fill(key.as_mut_slice()).map_err(io::Error::other)?;
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(Zeroizing::new(STANDARD.encode(key.as_slice()) + "\n").as_bytes())?;
    file.sync_all()?;
    Ok(key)
}

fn parse(text: &str) -> Option<MasterKey> {
    let bytes = Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
    Some(Zeroizing::new(bytes.as_slice().try_into().ok()?))
}

fn wrong(origin: &str) -> StartError {
    StartError::Config(format!(
        "{origin} is no master key: use 32 random bytes in base64 (openssl rand -base64 32)"
    ))
}

fn unreadable(path: &Path, error: &io::Error) -> StartError {
    StartError::Config(format!(
        "the master key {} cannot be read or made: {error}",
        path.display()
    ))
}
