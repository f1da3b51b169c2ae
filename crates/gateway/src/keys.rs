//! The server's key: 32 random bytes in a file, from which everything keyed is derived, each use apart.
//!
//! A copy of the database without it shows no telephone number in `seen` (wamids contain it in base64) and opens no
//! account by a one-time code. It belongs in the same backup, under lock.

use std::{
    io::{ErrorKind, Read, Write},
    path::Path,
};

use anyhow::{Context, Result, bail};
use data_encoding::BASE64;
use domain::ids::{CommandId, StaffId};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The name of its file in a backup, and in a folder of SQLite where none is configured.
pub const FILE: &str = "server.key";
/// Letters and digits that nobody confuses when a code is read aloud or written by hand (Crockford's base 32).
const SPOKEN: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The server's key.
pub struct ServerKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerKey")
    }
}

impl ServerKey {
    /// Reads the key.
    pub fn read(path: &Path) -> Result<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        let doing = || format!("Reading the server's key {}", path.display());
        std::fs::File::open(path).with_context(doing)?.read_exact(bytes.as_mut()).with_context(doing)?;
        Ok(Self(bytes))
    }

    /// Reads the key, or makes it where there is none yet.
    pub fn read_or_make(path: &Path) -> Result<Self> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(path) {
            Ok(mut file) => {
                let bytes = Zeroizing::new(random::<32>()?);
                let doing = || format!("Writing the server's key {}", path.display());
                file.write_all(bytes.as_ref()).with_context(doing)?;
                file.sync_all().with_context(doing)?;
                Ok(Self(bytes))
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::read(path),
            Err(error) => Err(error).with_context(|| format!("Making the server's key {}", path.display())),
        }
    }

    /// A key that is given, for tests.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        // HMAC fills a shorter key up with zeros to the block of its hash, so this is the key itself.
        let mut block = Zeroizing::new([0; 64]);
        if let Some(key) = block.first_chunk_mut() {
            *key = *self.0;
        }
        let mut mac = Hmac::<Sha256>::new(&(*block).into());
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// What is noted of the key beside what hangs on it, so that another one shows.
    pub fn mark(&self) -> [u8; 32] {
        self.mac("mark", &[])
    }

    /// What stands in `seen` for an inbound item's own key.
    pub fn seen(&self, agency: &str, item: &str) -> [u8; 32] {
        self.mac("seen", &[agency.as_bytes(), item.as_bytes()])
    }

    /// The one-time code that a command gave.
    pub fn code(&self, agency: &str, command: CommandId) -> String {
        let mac = self.mac("code", &[agency.as_bytes(), command.0.as_bytes()]);
        let letters = mac
            .iter()
            .take(12)
            .map(|byte| SPOKEN.get(usize::from(*byte) % SPOKEN.len()).map_or('A', |byte| char::from(*byte)));
        let mut code = String::with_capacity(14);
        for (i, letter) in letters.enumerate() {
            if i > 0 && i % 4 == 0 {
                code.push('-');
            }
            code.push(letter);
        }
        code
    }

    /// Whether a code is the one that a command gave. Hyphens, spaces and the case of letters are the writer's own.
    pub fn is_code(&self, agency: &str, command: CommandId, given: &str) -> bool {
        let plain = |text: &str| -> Vec<u8> {
            let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
            // What was misread is put right: these three stand in no code.
            let meant = letters.map(|byte| match byte.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            });
            meant.collect()
        };
        plain(&self.code(agency, command)).ct_eq(&plain(given)).into()
    }

    /// What stands in `familiar` for a place, network or workstation, from which a username was signed in with.
    pub fn place(&self, agency: &str, username: &str, place: &str) -> [u8; 32] {
        self.mac("place", &[agency.as_bytes(), username.as_bytes(), place.as_bytes()])
    }

    /// The secret with which one person's desk on one workstation wraps its file's key: always the same, so that a
    /// password reset loses nothing.
    pub fn device_secret(&self, agency: &str, staff: StaffId, device: &str) -> String {
        BASE64.encode(&self.mac("device", &[agency.as_bytes(), staff.0.as_bytes(), device.as_bytes()]))
    }
}

/// Fresh random bytes from the system.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    if let Err(error) = getrandom::fill(&mut bytes) {
        bail!("Asking the system for random bytes: {error}");
    }
    Ok(bytes)
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_code_belongs_to_its_command() {
        let key = ServerKey::from_bytes([7; 32]);
        let command = CommandId(Uuid::from_u128(1));
        let code = key.code("mew", command);
        assert_eq!(code.len(), 14, "{code}");
        assert!(key.is_code("mew", command, &code));
        assert!(key.is_code("mew", command, &format!(" {} ", code.to_lowercase().replace('-', " ").replace('0', "o"))));
        assert!(!key.is_code("mew", CommandId(Uuid::from_u128(2)), &code));
        assert!(!key.is_code("moci", command, &code));
        assert!(!ServerKey::from_bytes([8; 32]).is_code("mew", command, &code));
        assert!(!key.is_code("mew", command, ""));
    }

    #[test]
    fn uses_do_not_meet() {
        let key = ServerKey::from_bytes([7; 32]);
        assert_ne!(key.mac("seen", &[b"ab", b"c"]), key.mac("seen", &[b"a", b"bc"]));
        assert_ne!(key.mac("seen", &[b"a"]), key.mac("code", &[b"a"]));
    }

    #[test]
    fn the_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        assert!(ServerKey::read(&file).is_err());
        let made = ServerKey::read_or_make(&file).unwrap();
        assert_eq!(made.0, ServerKey::read_or_make(&file).unwrap().0);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
