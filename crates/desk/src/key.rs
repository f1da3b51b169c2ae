//! The file key: 32 random bytes that encrypt an account's files, and the keychain item that holds it.
//!
//! The key is never bare. The item wraps it twice: by the person's password (Argon2id), so that the file opens off
//! line, and by a secret that only the gateway knows and returns at sign-in, so that a reset password loses nothing.
//! Whoever has the computer and its keychain, but neither the password nor the gateway's consent, has nothing.
//! The session's token and the lease are sealed with the file key in the same item, so one write changes them all.
//!
//! Wrapping is XChaCha20-Poly1305 with random nonces. What a part is for, the account, and Argon2's parameters are its
//! associated data: parts cannot be exchanged between items, nor the parameters weakened.

use anyhow::Context;
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use data_encoding::{BASE64, HEXLOWER};
use domain::{ids::Millis, password::normal};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The version in which this program writes items.
const VERSION: u32 = 1;

/// The key of an account's files.
#[derive(Clone)]
pub(crate) struct FileKey(Zeroizing<[u8; 32]>);

impl FileKey {
    pub(crate) fn random() -> anyhow::Result<Self> {
        Ok(Self(random()?))
    }

    /// The key itself.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The statement that gives the key to SQLCipher, raw: a passphrase would cost a quarter of a second for each
    /// connection.
    pub(crate) fn pragma(&self) -> Zeroizing<String> {
        let hex = Zeroizing::new(HEXLOWER.encode(self.0.as_slice()));
        Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", hex.as_str()))
    }
}

/// What the gateway gave at sign-in, sealed with the file key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Goes into `Authorization: Bearer …`; empty once signed out.
    pub(crate) token: String,
    /// Until when the file opens without the gateway.
    pub(crate) lease_until: Millis,
    /// The gateway's clock at sign-in: setting the computer's clock back to before it gains nothing.
    pub(crate) signed_in_at: Millis,
    /// The gateway's clock less this computer's at sign-in: a computer that is years off is no stranger for it.
    #[serde(default)]
    pub(crate) clock_offset: Millis,
}

/// Why an item does not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Closed {
    /// The password, or the device secret, is another one. Tampering with that part looks the same.
    #[error("The key does not fit")]
    DoesNotFit,
    /// The item is not what this program writes.
    #[error("The keychain item cannot be read: {0}")]
    Damaged(String),
    /// A newer program wrote it.
    #[error("The keychain item has version {0}, which is newer than this program")]
    Newer(u32),
}

/// The keychain item.
#[derive(Serialize, Deserialize)]
pub(crate) struct Item {
    version: u32,
    password: ByPassword,
    device: Sealed,
    session: Sealed,
}

#[derive(Serialize, Deserialize)]
struct ByPassword {
    salt: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    key: Sealed,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    nonce: String,
    text: String,
}

impl Item {
    /// Wraps `key` for `account`.
    pub(crate) fn wrap(
        account: &str,
        key: &FileKey,
        password: &str,
        device_secret: &[u8],
        session: &Session,
    ) -> anyhow::Result<Self> {
        let salt: Zeroizing<[u8; 16]> = random()?;
        let mut by_password = ByPassword {
            salt: BASE64.encode(salt.as_slice()),
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
            key: Sealed { nonce: String::new(), text: String::new() },
        };
        let wrapping =
            by_password.derive(password).map_err(|error| anyhow::anyhow!("Wrapping the file key: {error}"))?;
        by_password.key = Sealed::seal(&wrapping, &by_password.purpose(account), key.0.as_slice())?;
        Ok(Self {
            version: VERSION,
            password: by_password,
            device: Sealed::seal(&from_device_secret(device_secret), &purpose("device", account), key.0.as_slice())?,
            session: Sealed::seal(&key.0, &purpose("session", account), &serde_json::to_vec(session)?)?,
        })
    }

    /// The item with another session in it.
    pub(crate) fn with_session(mut self, account: &str, key: &FileKey, session: &Session) -> anyhow::Result<Self> {
        self.session = Sealed::seal(&key.0, &purpose("session", account), &serde_json::to_vec(session)?)?;
        Ok(self)
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Closed> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let damaged = |error: serde_json::Error| Closed::Damaged(error.to_string());
        let Versioned { version } = serde_json::from_slice(bytes).map_err(damaged)?;
        if version > VERSION {
            return Err(Closed::Newer(version));
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }

    pub(crate) fn write(&self) -> anyhow::Result<Vec<u8>> {
        serde_json::to_vec(self).context("Writing the keychain item")
    }

    pub(crate) fn open_with_password(&self, account: &str, password: &str) -> Result<FileKey, Closed> {
        let wrapping = self.password.derive(password)?;
        self.password.key.open_key(&wrapping, &self.password.purpose(account))
    }

    pub(crate) fn open_with_device_secret(&self, account: &str, secret: &[u8]) -> Result<FileKey, Closed> {
        self.device.open_key(&from_device_secret(secret), &purpose("device", account))
    }

    pub(crate) fn session(&self, account: &str, key: &FileKey) -> Result<Session, Closed> {
        let text = self.session.open(&key.0, &purpose("session", account))?;
        serde_json::from_slice(&text).map_err(|error| Closed::Damaged(error.to_string()))
    }
}

impl ByPassword {
    fn derive(&self, password: &str) -> Result<Zeroizing<[u8; 32]>, Closed> {
        // A quarter of a gibibyte is more than any version writes, and less than would stop the computer.
        if self.memory_kib > 256 * 1024 || self.passes > 16 || self.lanes > 4 {
            return Err(Closed::Damaged("The password's parameters are out of all proportion".into()));
        }
        let damaged = |error: argon2::Error| Closed::Damaged(error.to_string());
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(damaged)?;
        let salt = BASE64.decode(self.salt.as_bytes()).map_err(|error| Closed::Damaged(error.to_string()))?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(Zeroizing::new(normal(password)).as_bytes(), &salt, key.as_mut_slice())
            .map_err(damaged)?;
        Ok(key)
    }

    fn purpose(&self, account: &str) -> String {
        let Self { salt, memory_kib, passes, lanes, .. } = self;
        purpose(&format!("password {salt} {memory_kib} {passes} {lanes}"), account)
    }
}

impl Sealed {
    fn seal(key: &[u8; 32], purpose: &str, text: &[u8]) -> anyhow::Result<Self> {
        let nonce: Zeroizing<[u8; 24]> = random()?;
        let text = XChaCha20Poly1305::new(key.into())
            .encrypt(&XNonce::from(*nonce), Payload { msg: text, aad: purpose.as_bytes() })
            .map_err(|_| anyhow::anyhow!("Sealing a part of the keychain item failed"))?;
        Ok(Self { nonce: BASE64.encode(nonce.as_slice()), text: BASE64.encode(&text) })
    }

    fn open(&self, key: &[u8; 32], purpose: &str) -> Result<Zeroizing<Vec<u8>>, Closed> {
        let damaged = |error: data_encoding::DecodeError| Closed::Damaged(error.to_string());
        let nonce = BASE64.decode(self.nonce.as_bytes()).map_err(damaged)?;
        let nonce: [u8; 24] = nonce.try_into().map_err(|_| Closed::Damaged("A nonce has 24 bytes".into()))?;
        let text = BASE64.decode(self.text.as_bytes()).map_err(damaged)?;
        XChaCha20Poly1305::new(key.into())
            .decrypt(&XNonce::from(nonce), Payload { msg: &text, aad: purpose.as_bytes() })
            .map(Zeroizing::new)
            .map_err(|_| Closed::DoesNotFit)
    }

    fn open_key(&self, key: &[u8; 32], purpose: &str) -> Result<FileKey, Closed> {
        let bytes = self.open(key, purpose)?;
        let key = bytes.as_slice().try_into().map_err(|_| Closed::Damaged("A file key has 32 bytes".into()))?;
        Ok(FileKey(Zeroizing::new(key)))
    }
}

fn purpose(part: &str, account: &str) -> String {
    format!("shubbak {VERSION} {part} {account}")
}

/// The device secret is random and long: one hash fits it to the cipher.
fn from_device_secret(secret: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(Sha256::new().chain_update(b"shubbak device secret 1").chain_update(secret).finalize().into())
}

fn random<const N: usize>() -> anyhow::Result<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| anyhow::anyhow!("Getting random bytes: {error}"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn session() -> Session {
        Session { token: "t0k3n".repeat(10), lease_until: 9, signed_in_at: 1, clock_offset: 0 }
    }

    fn item() -> (FileKey, Vec<u8>) {
        let key = FileKey::random().unwrap();
        let item = Item::wrap("a", &key, "كلمة مرور طويلة", SECRET, &session()).unwrap();
        (key, item.write().unwrap())
    }

    #[test]
    fn the_password_and_the_device_secret_both_open() {
        let (key, bytes) = item();
        let item = Item::read(&bytes).unwrap();
        assert_eq!(*item.open_with_password("a", "كلمة مرور طويلة").unwrap().0, *key.0);
        assert_eq!(*item.open_with_device_secret("a", SECRET).unwrap().0, *key.0);
        assert!(item.session("a", &key).unwrap() == session());
    }

    #[test]
    fn another_password_secret_or_account_does_not_open() {
        let (key, bytes) = item();
        let item = Item::read(&bytes).unwrap();
        assert!(matches!(item.open_with_password("a", "كلمة مرور طويلة "), Err(Closed::DoesNotFit)));
        assert!(matches!(item.open_with_password("b", "كلمة مرور طويلة"), Err(Closed::DoesNotFit)));
        assert!(matches!(item.open_with_device_secret("a", b"another"), Err(Closed::DoesNotFit)));
        assert!(matches!(item.session("b", &key), Err(Closed::DoesNotFit)));
    }

    #[test]
    fn nothing_in_the_item_is_bare_and_it_fits_the_windows_credential_manager() {
        let (key, bytes) = item();
        assert!(bytes.len() < 2_560, "{}", bytes.len());
        let text = String::from_utf8(bytes).unwrap();
        for bare in [BASE64.encode(key.0.as_slice()), HEXLOWER.encode(key.0.as_slice()), session().token] {
            assert!(!text.contains(&bare));
        }
    }

    #[test]
    fn any_change_of_the_item_is_noticed() {
        let (key, bytes) = item();
        let whole: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        for (path, change) in [
            ("/password/key/text", serde_json::json!(BASE64.encode(&[0; 48]))),
            ("/password/memory_kib", serde_json::json!(8)),
            ("/password/passes", serde_json::json!(1)),
            ("/password/salt", serde_json::json!(BASE64.encode(&[0; 16]))),
            ("/password/memory_kib", serde_json::json!(u32::MAX)),
        ] {
            let mut changed = whole.clone();
            *changed.pointer_mut(path).unwrap() = change;
            let item = Item::read(&serde_json::to_vec(&changed).unwrap()).unwrap();
            assert!(item.open_with_password("a", "كلمة مرور طويلة").is_err(), "{path}");
        }
        let mut swapped = whole.clone();
        swapped["session"] = whole["device"].clone();
        assert!(Item::read(&serde_json::to_vec(&swapped).unwrap()).unwrap().session("a", &key).is_err());
        assert!(matches!(Item::read(b"{\"version\": 1}"), Err(Closed::Damaged(_))));
        assert!(matches!(Item::read(b"nonsense"), Err(Closed::Damaged(_))));
    }

    #[test]
    fn a_newer_version_is_said_to_be_one() {
        assert!(matches!(Item::read(b"{\"version\": 2, \"other\": true}"), Err(Closed::Newer(2))));
    }
}
