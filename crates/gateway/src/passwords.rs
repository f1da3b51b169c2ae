//! Passwords: what is too easy to guess, and Argon2id, two at a time.
//!
//! Length counts, composition does not (NIST SP 800-63B-4). Each hash takes 19 MiB, so however many sign in at once,
//! two are computed and the rest wait, up to a bound beyond which they are told to come again.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, Result};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::failure::Failure;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const SHORTEST: usize = 15;
/// Bytes; beyond this a password is only work for us.
const LONGEST: usize = 1024;
const AT_ONCE: usize = 2;
const WAITING: usize = 1024;

/// What is often chosen and long enough; compared without regard to case.
const OBVIOUS: &[&str] = &[
    "passwordpassword",
    "password12345678",
    "password123456789",
    "qwertyuiopasdfghjkl",
    "qwertyuiop123456",
    "qwertyuiop1234567890",
    "1q2w3e4r5t6y7u8i",
    "1qaz2wsx3edc4rfv",
    "abcdefghijklmnop",
    "correcthorsebatterystaple",
    "correct horse battery staple",
    "iloveyouiloveyou",
    "administrator123",
    "administratoradministrator",
    "letmeinletmeinletmein",
    "thisisapassword",
    "this is a password",
    "mypasswordissecret",
];

/// Hashes and checks passwords.
pub struct Passwords {
    slots: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    /// Checked where there is no account, so that the answer takes as long.
    nobody: Arc<str>,
}

impl Passwords {
    /// Computes the one hash that no password fits.
    pub fn new() -> Result<Self> {
        let nobody = hash(&data_encoding::HEXLOWER.encode(&crate::keys::random::<32>()?))?.into();
        Ok(Self { slots: Arc::new(Semaphore::new(AT_ONCE)), waiting: Arc::default(), nobody })
    }

    /// Hashes a new password.
    pub async fn hash(&self, password: Zeroizing<String>) -> Result<String, Failure> {
        self.with_slot(move || hash(&password)).await
    }

    /// Whether a password fits a hash; where there is none it does not, and takes as long.
    pub async fn fits(&self, password: Zeroizing<String>, known: Option<String>) -> Result<bool, Failure> {
        let nobody = Arc::clone(&self.nobody);
        self.with_slot(move || {
            let text = known.as_deref().unwrap_or(&nobody);
            let parsed = PasswordHash::new(text).context("Reading a password's hash")?;
            let fits = argon2()?.verify_password(password.as_bytes(), &parsed).is_ok();
            Ok(fits && known.is_some())
        })
        .await
    }

    async fn with_slot<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let _place = Place::take(&self.waiting)?;
        let slot = Arc::clone(&self.slots).acquire_owned().await.context("Waiting for a place to hash")?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(slot);
            done
        });
        Ok(done.await.context("Hashing a password")??)
    }
}

/// A place among those that wait.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(waiting: &Arc<AtomicUsize>) -> Result<Self, Failure> {
        let place = Self(Arc::clone(waiting));
        if waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            return Err(Failure::too_many("Too many people are signing in at once").retry_after(10));
        }
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).context("Setting up Argon2")?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> Result<String> {
    Ok(argon2()?.hash_password(password.as_bytes()).context("Hashing a password")?.to_string())
}

/// Why a password may not be chosen, or `None`.
pub fn weakness(password: &str, agency: &str, username: &str) -> Option<&'static str> {
    let folded = password.to_lowercase();
    let letters: Vec<char> = folded.chars().collect();
    if letters.len() < SHORTEST {
        return Some("The password has fewer than 15 characters");
    }
    if password.len() > LONGEST {
        return Some("The password has more than 1024 bytes");
    }
    if OBVIOUS.contains(&folded.as_str()) {
        return Some("The password is one of those that are tried first");
    }
    if (1..=letters.len() / 2).any(|unit| letters.iter().zip(letters.iter().skip(unit)).all(|(a, b)| a == b)) {
        return Some("The password only repeats itself");
    }
    let step = |(a, b): (&char, &char)| match (a.to_digit(10), b.to_digit(10)) {
        (Some(a), Some(b)) => (a + 1) % 10 == b || (b + 1) % 10 == a,
        _ => u32::from(*a).abs_diff(u32::from(*b)) == 1,
    };
    if letters.iter().zip(letters.iter().skip(1)).all(step) {
        return Some("The password only counts up or down");
    }
    let mut rest = folded.clone();
    for word in [username, agency, "shubbak", "password", "شباك"] {
        if word.chars().count() > 2 {
            rest = rest.replace(&word.to_lowercase(), "");
        }
    }
    if rest.chars().filter(|letter| letter.is_alphabetic()).count() < 4 && rest.chars().count() < 10 {
        return Some("The password is little more than the names of the account, the agency or the program");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn two_at_a_time_and_beyond_the_queue_none() {
        let passwords = Arc::new(Passwords::new().unwrap());
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..WAITING + 50 {
            let (passwords, now, most) = (Arc::clone(&passwords), Arc::clone(&now), Arc::clone(&most));
            asked.spawn(async move {
                let done = passwords.with_slot(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(std::time::Duration::from_millis(2));
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                });
                done.await.map_err(|failure| failure.status().as_u16())
            });
        }
        let done = asked.join_all().await;
        assert_eq!(most.load(Ordering::SeqCst), AT_ONCE);
        let refused = done.iter().filter(|done| **done == Err(429)).count();
        assert!((1..=50).contains(&refused), "{refused} of {} were refused", done.len());
        assert_eq!(passwords.waiting.load(Ordering::SeqCst), 0, "every place is given back");
    }

    #[test]
    fn the_obvious_is_refused() {
        for password in [
            "short",
            "fourteen chars",
            "123456789012345",
            "987654321098765",
            "aaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "abcdefghijklmnopq",
            "PasswordPassword",
            "noura.alrashidi123",
            "mew-mew-mew-mew",
            "Shubbak-password-2026",
        ] {
            assert!(weakness(password, "mew-", "noura.alrashidi").is_some(), "{password}");
        }
        assert!(weakness(&"ab ".repeat(500), "mew", "admin").is_some());
    }

    #[test]
    fn a_phrase_is_accepted() {
        for password in ["سبعة جمال على الجسر", "four blue doors at noon", "demo-desk-window-lead"] {
            assert_eq!(weakness(password, "mew", "admin"), None, "{password}");
        }
    }

    #[tokio::test]
    async fn a_hash_fits_its_password_alone() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash(Zeroizing::new("four blue doors".to_owned())).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let fits = |password: &str, known: Option<&String>| {
            passwords.fits(Zeroizing::new(password.to_owned()), known.cloned())
        };
        assert!(fits("four blue doors", Some(&hash)).await.unwrap());
        assert!(!fits("four blue door", Some(&hash)).await.unwrap());
        assert!(!fits("four blue doors", None).await.unwrap());
    }
}
