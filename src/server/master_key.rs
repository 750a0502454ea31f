//! Loads the master key, or creates it at the first start, and checks that it decrypts the secrets in the database.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
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

/// Creates a vault with the configured keys. Fails if they cannot decrypt all secrets, because deliveries would fail.
pub(super) async fn vault(keys: &MasterKeys, store: &Store) -> Result<Vault, StartError> {
    let vault = Vault::new(&load(keys, store).await?);
    let vault = match previous(keys)? {
        Some(key) => vault.with_secondary_key(&key),
        None => vault,
    };
    check(&vault, store).await?;
    Ok(vault)
}

/// Creates a vault that encrypts with the key in this file, and decrypts with the configured keys as well. Creates the
/// file if it does not exist.
pub async fn rotating_to(path: &Path, keys: &MasterKeys, store: &Store) -> Result<Vault, StartError> {
    let new = match read(path)? {
        Some(key) => key,
        None => create(path).map_err(|error| file_error(path, &error))?,
    };
    let vault = Vault::new(&new);
    // The new key may be configured already, with the old one as the previous key.
    let configured = [Some(load(keys, store).await?), previous(keys)?];
    let others: Vec<_> = configured
        .into_iter()
        .flatten()
        .filter(|key| Vault::new(key).key_id() != vault.key_id())
        .collect();
    let vault = match others.as_slice() {
        [] => vault,
        [other] => vault.with_secondary_key(other),
        _ => {
            return Err(StartError::Config(
                "a rotation replaces one key, but two keys other than the new one are configured".to_owned(),
            ));
        }
    };
    check(&vault, store).await?;
    Ok(vault)
}

/// Returns the key from the configuration or from its file. Creates the file if the database has no secrets yet.
async fn load(keys: &MasterKeys, store: &Store) -> Result<MasterKey, StartError> {
    if let Some(text) = &keys.master_key {
        return parse(text).ok_or_else(|| invalid("CALEIDA_MASTER_KEY"));
    }
    let path = keys.master_key_file.as_path();
    match read(path)? {
        Some(key) => Ok(key),
        None if store.master_key_ids().await?.is_empty() => {
            create(path).map_err(|error| file_error(path, &error))
        }
        None => Err(StartError::Config(format!(
            "the master key is missing: the database contains encrypted secrets, but {} does not exist; restore the \
             file, or set CALEIDA_MASTER_KEY",
            path.display()
        ))),
    }
}

fn previous(keys: &MasterKeys) -> Result<Option<MasterKey>, StartError> {
    if let Some(text) = &keys.previous_master_key {
        return match parse(text) {
            Some(key) => Ok(Some(key)),
            None => Err(invalid("CALEIDA_PREVIOUS_MASTER_KEY")),
        };
    }
    let Some(path) = keys.previous_master_key_file.as_deref() else {
        return Ok(None);
    };
    match read(path)? {
        Some(key) => Ok(Some(key)),
        None => Err(StartError::Config(format!(
            "the file {} in CALEIDA_PREVIOUS_MASTER_KEY_FILE does not exist",
            path.display()
        ))),
    }
}

/// Checks that the vault has every key that secrets are encrypted with.
async fn check(vault: &Vault, store: &Store) -> Result<(), StartError> {
    let in_use = store.master_key_ids().await?;
    match in_use
        .into_iter()
        .find(|id| vault.key_ids().all(|key_id| key_id != id))
    {
        None => Ok(()),
        Some(other) => Err(StartError::Config(format!(
            "secrets in the database are encrypted with another master key ({other}) than this one ({}); during a key \
             rotation, set CALEIDA_PREVIOUS_MASTER_KEY_FILE to the other key",
            vault.key_id()
        ))),
    }
}

/// Reads a key file. Returns `None` if it does not exist.
fn read(path: &Path) -> Result<Option<MasterKey>, StartError> {
    match fs::read_to_string(path).map(Zeroizing::new) {
        Ok(text) => match parse(&text) {
            Some(key) => Ok(Some(key)),
            None => Err(invalid(&path.display().to_string())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_error(path, &error)),
    }
}

fn create(path: &Path) -> io::Result<MasterKey> {
    let mut key = MasterKey::default();
    getrandom::fill(key.as_mut_slice()).map_err(io::Error::other)?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Complete under another name first, so that a full disk or a crash never leaves a part of a key.
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}", std::process::id()));
    let written = write_key(&key, Path::new(&unfinished)).and_then(|()| place(Path::new(&unfinished), path));
    // Fails if the file was not created.
    let _ = fs::remove_file(&unfinished);
    written?;
    File::open(folder)?.sync_all()?;
    Ok(key)
}

/// Gives a file its final name. Fails if there is one with that name, which another process has created in the meantime.
fn place(unfinished: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(unfinished, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !path.exists() => {
            // Some network volumes have no links.
            fs::rename(unfinished, path)
        }
        placed => placed,
    }
}

fn write_key(key: &MasterKey, path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(Zeroizing::new(STANDARD.encode(key.as_slice()) + "\n").as_bytes())?;
    file.sync_all()
}

fn parse(text: &str) -> Option<MasterKey> {
    // Some editors add a byte order mark.
    let text = text.trim_start_matches('\u{feff}').trim();
    let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
    Some(Zeroizing::new(bytes.as_slice().try_into().ok()?))
}

fn invalid(source: &str) -> StartError {
    StartError::Config(format!(
        "{source} is not a master key: use 32 random bytes in base64 (openssl rand -base64 32)"
    ))
}

fn file_error(path: &Path, error: &io::Error) -> StartError {
    StartError::Config(format!(
        "cannot read or create the master key file {}: {error}",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn byte_order_mark_and_white_space_are_not_part_of_a_key() {
        let key = STANDARD.encode([7; MASTER_KEY_LENGTH]);
        for text in [
            key.clone(),
            format!("{key}\r\n"),
            format!("\u{feff}{key}\n"),
            format!(" {key} "),
        ] {
            assert_eq!(parse(&text).as_deref(), Some(&[7; MASTER_KEY_LENGTH]), "{text:?}");
        }
        for text in ["", "\u{feff}", &key[1..], &format!("\"{key}\"")] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn key_file_is_complete_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/master.key");
        let key = create(&path).unwrap();
        assert_eq!(read(&path).ok().flatten(), Some(key.clone()));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let error = create(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(read(&path).ok().flatten(), Some(key));
        let names: Vec<_> = fs::read_dir(path.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["master.key"], "nothing unfinished is left");
    }
}
