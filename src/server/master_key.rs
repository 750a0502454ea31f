//! Where the master key comes from, and that it is the one that the database was written with.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{StartError, config::MasterKeys};
use crate::{
    store::Store,
    vault::{MASTER_KEY_LENGTH, Vault},
};

type MasterKey = Zeroizing<[u8; MASTER_KEY_LENGTH]>;

/// With the configured keys. Refuses one that could not open everything: such a delivery would fail.
pub(super) async fn vault(keys: &MasterKeys, store: &Store) -> Result<Vault, StartError> {
    let vault = Vault::new(&load(keys, store).await?);
    let vault = match previous(keys)? {
        Some(key) => vault.with_other(&key),
        None => vault,
    };
    check(&vault, store).await?;
    Ok(vault)
}

/// A vault that seals with the key in this file, which is made if there is none, and opens what the configured key has
/// sealed, or else the one before it.
pub async fn rotating_to(path: &Path, keys: &MasterKeys, store: &Store) -> Result<Vault, StartError> {
    let new = match read(path)? {
        Some(key) => key,
        None => create(path).map_err(|error| unreadable(path, &error))?,
    };
    let vault = Vault::new(&new);
    // Who rotates may have configured the new key already, and then has the old one as the previous.
    let configured = [Some(load(keys, store).await?), previous(keys)?];
    let others: Vec<_> = configured
        .into_iter()
        .flatten()
        .filter(|key| Vault::new(key).key_id() != vault.key_id())
        .collect();
    let vault = match others.as_slice() {
        [] => vault,
        [other] => vault.with_other(other),
        _ => {
            return Err(StartError::Config(
                "a rotation is from one key to another, but besides the new one, two others are configured"
                    .to_owned(),
            ));
        }
    };
    check(&vault, store).await?;
    Ok(vault)
}

/// From the configuration, from its file, or made and written to its file if nothing is sealed yet.
async fn load(keys: &MasterKeys, store: &Store) -> Result<MasterKey, StartError> {
    if let Some(text) = &keys.master_key {
        return parse(text).ok_or_else(|| wrong("CALEIDA_MASTER_KEY"));
    }
    let path = keys.master_key_file.as_path();
    match read(path)? {
        Some(key) => Ok(key),
        None if store.master_key_ids().await?.is_empty() => {
            create(path).map_err(|error| unreadable(path, &error))
        }
        None => Err(StartError::Config(format!(
            "the master key is missing: the database holds sealed secrets, but there is no {}; restore it, \
             or set CALEIDA_MASTER_KEY",
            path.display()
        ))),
    }
}

fn previous(keys: &MasterKeys) -> Result<Option<MasterKey>, StartError> {
    if let Some(text) = &keys.previous_master_key {
        return match parse(text) {
            Some(key) => Ok(Some(key)),
            None => Err(wrong("CALEIDA_PREVIOUS_MASTER_KEY")),
        };
    }
    let Some(path) = keys.previous_master_key_file.as_deref() else {
        return Ok(None);
    };
    match read(path)? {
        Some(key) => Ok(Some(key)),
        None => Err(StartError::Config(format!(
            "CALEIDA_PREVIOUS_MASTER_KEY_FILE names {}, which does not exist",
            path.display()
        ))),
    }
}

async fn check(vault: &Vault, store: &Store) -> Result<(), StartError> {
    let in_use = store.master_key_ids().await?;
    match in_use.into_iter().find(|id| vault.opens().all(|ours| ours != id)) {
        None => Ok(()),
        Some(other) => Err(StartError::Config(format!(
            "this master key ({}) is not the one that the database's secrets were sealed with ({other}); if keys are being \
             rotated, give that one as CALEIDA_PREVIOUS_MASTER_KEY_FILE",
            vault.key_id()
        ))),
    }
}

/// `None` if there is no such file.
fn read(path: &Path) -> Result<Option<MasterKey>, StartError> {
    match fs::read_to_string(path).map(Zeroizing::new) {
        Ok(text) => match parse(&text) {
            Some(key) => Ok(Some(key)),
            None => Err(wrong(&path.display().to_string())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
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
        "{origin} is not a master key: use 32 random bytes in base64 (openssl rand -base64 32)"
    ))
}

fn unreadable(path: &Path, error: &io::Error) -> StartError {
    StartError::Config(format!(
        "the master key {} cannot be read or made: {error}",
        path.display()
    ))
}
