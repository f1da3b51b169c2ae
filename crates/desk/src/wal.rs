//! The log beside a file that was not closed in order, looked at before SQLite does.
//!
//! SQLite takes such a log up to the first frame whose checksum does not fit, and forgets the rest without a word: so ends
//! a transaction that a crash has torn. One bit that has flipped in what was committed looks the same to it. Whatever was
//! written from there on would be gone, and pages that had been folded into the file already would stand beside older ones.
//!
//! Where the bit is, checksum and HMAC tell together: of all bits of a frame one makes both fit again. (The checksum is a sum
//! of words: by itself it does not tell the highest bits of two words apart.) That bit is put right, and the log is what was
//! written. Where no single bit explains it, and the log goes on behind, more than a bit is damaged.
//!
//! Sources: SQLite, Database File Format, "The Write-Ahead Log"; Zetetic, SQLCipher Design (version 4).

use std::{
    ffi::OsString,
    fs,
    io::{ErrorKind, Read as _},
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::Context;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use zeroize::Zeroizing;

use crate::key::FileKey;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// SQLCipher's pages, and at the end of each its HMAC.
const PAGE: usize = 4096;
const TAG: usize = 64;
/// So many bytes at the beginning of the first page are the file's salt.
const SALT: usize = 16;
/// A page's number that is no greater can be believed: the file has less than 4 GB.
const MOST: u32 = 1 << 20;
/// How each log begins: checksums are of little-endian words, as every computer writes them that this program runs on; the
/// version; the pages' size.
const BEGINS: [u8; 12] = [0x37, 0x7f, 0x06, 0x82, 0x00, 0x2d, 0xe2, 0x18, 0x00, 0x00, 0x10, 0x00];

/// The log beside a file.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push("-wal");
    name.into()
}

/// Puts right a bit that has flipped in the log beside a file. Tells whether SQLite can take the log as it is now; a last
/// transaction that a crash has torn is no damage.
pub(crate) fn put_right(file: &Path, key: &FileKey) -> anyhow::Result<bool> {
    let path = beside(file);
    let mut log = match fs::read(&path) {
        Ok(log) => log,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error).context("Reading the write-ahead log"),
    };
    let before = log.clone();
    let mut salt = [0; SALT];
    match fs::File::open(file).and_then(|mut file| file.read_exact(&mut salt)) {
        // There is nothing yet that a log could belong to.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof) => return Ok(true),
        read => read.context("Reading the file's salt")?,
    }
    let whole = corrected(&mut log, &Seal::new(key, salt)?);
    if log != before {
        tracing::warn!(path = %path.display(), "A bit had flipped in the write-ahead log: it is put right");
        fs::write(&path, &log).context("Putting the write-ahead log right")?;
    }
    Ok(whole)
}

/// What tells whether a page is what was written.
struct Seal(Zeroizing<[u8; 32]>);

impl Seal {
    /// The key of the HMACs: PBKDF2 of two rounds, over the file's key and its masked salt.
    fn new(key: &FileKey, salt: [u8; SALT]) -> anyhow::Result<Self> {
        let round = |parts: &[&[u8]]| -> anyhow::Result<Zeroizing<[u8; TAG]>> {
            let mut mac = Hmac::<Sha512>::new_from_slice(key.bytes()).context("Making the key of the pages' HMACs")?;
            parts.iter().for_each(|part| mac.update(part));
            Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
        };
        let first = round(&[&salt.map(|byte| byte ^ 0x3a), &1_u32.to_be_bytes()])?;
        let second = round(&[&*first])?;
        let mut seal = Zeroizing::new([0; 32]);
        for (byte, (a, b)) in seal.iter_mut().zip(first.iter().zip(second.iter())) {
            *byte = a ^ b;
        }
        Ok(Self(seal))
    }

    /// Whether a frame's page is what was written as the page of its number.
    fn fits(&self, frame: &[u8]) -> bool {
        self.fits_as(frame, number(frame))
    }

    /// Whether it is what was written as the page of this number.
    fn fits_as(&self, frame: &[u8], number: u32) -> bool {
        let Some((sealed, tag)) = frame.split_last_chunk::<TAG>() else { return false };
        let sealed = sealed.get(FRAME_HEADER + if number == 1 { SALT } else { 0 }..).unwrap_or_default();
        let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(self.0.as_slice()) else { return false };
        mac.update(sealed);
        mac.update(&number.to_le_bytes());
        mac.verify_slice(tag).is_ok()
    }
}

type Sums = (u32, u32);

/// SQLite's checksum goes on over these bytes, whose number is a multiple of 8.
fn sum(from: Sums, bytes: &[u8]) -> Sums {
    let (pairs, _) = bytes.as_chunks::<8>();
    pairs.iter().fold(from, |(s0, s1), &[a, b, c, d, e, f, g, h]| {
        let s0 = s0.wrapping_add(u32::from_le_bytes([a, b, c, d])).wrapping_add(s1);
        (s0, s1.wrapping_add(u32::from_le_bytes([e, f, g, h])).wrapping_add(s0))
    })
}

fn stored((s0, s1): Sums) -> [u8; 8] {
    let [[a, b, c, d], [e, f, g, h]] = [s0.to_be_bytes(), s1.to_be_bytes()];
    [a, b, c, d, e, f, g, h]
}

/// What a header's checksum comes to, if it fits.
fn header_sum(header: &[u8]) -> Option<Sums> {
    let (body, check) = header.split_at_checked(HEADER - 8)?;
    let sums = sum((0, 0), body);
    (header.starts_with(&BEGINS) && check == stored(sums)).then_some(sums)
}

/// What a frame's checksum comes to, if it fits and the frame is of this log.
fn frame_sum(frame: &[u8], salt: &[u8], before: Sums) -> Option<Sums> {
    let (head, page) = frame.split_at_checked(FRAME_HEADER)?;
    let (numbers, rest) = head.split_at_checked(8)?;
    let (its_salt, check) = rest.split_at_checked(8)?;
    if its_salt != salt {
        return None;
    }
    let sums = sum(sum(before, numbers), page);
    (check == stored(sums)).then_some(sums)
}

/// Flips the one bit with which it fits, if there is one. The checksum's own come first: two of the rest look like them, of
/// which one says nothing that matters here, and the other how long the file is, which SQLite holds against the file.
fn flip_back<T>(bytes: &mut [u8], check: Range<usize>, within: usize, fits: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
    for at in check.chain(0..within) {
        for bit in 0..8 {
            *bytes.get_mut(at)? ^= 1 << bit;
            if let Some(found) = fits(bytes) {
                return Some(found);
            }
            *bytes.get_mut(at)? ^= 1 << bit;
        }
    }
    None
}

fn corrected(log: &mut [u8], seal: &Seal) -> bool {
    let Some((header, frames)) = log.split_at_mut_checked(HEADER) else { return true };
    if frames.len() < FRAME_HEADER + PAGE {
        return true;
    }
    let first = frames.get(8..16).unwrap_or_default().to_vec();
    let of_these = |header: &[u8]| header_sum(header).filter(|_| header.get(16..24) == Some(&*first));
    let Some(mut sums) = header_sum(header).or_else(|| flip_back(header, 24..32, HEADER, of_these)) else {
        return false;
    };
    let salt = header.get(16..24).unwrap_or_default().to_vec();
    let most = frames.chunks_exact(FRAME_HEADER + PAGE).map(number).filter(|number| *number < MOST).max().unwrap_or(0);
    let mut frames = frames.chunks_exact_mut(FRAME_HEADER + PAGE);
    while let Some(frame) = frames.next() {
        let fits = |frame: &[u8]| frame_sum(frame, &salt, sums);
        let sealed = |frame: &[u8]| fits(frame).filter(|_| seal.fits(frame));
        // A page that is sound need not be searched.
        let within = if seal.fits(frame) { FRAME_HEADER } else { FRAME_HEADER + PAGE };
        let put_right =
            |frame: &mut [u8]| is_near(frame, &salt).then(|| flip_back(frame, 16..24, within, sealed)).flatten();
        match fits(frame).or_else(|| put_right(frame)) {
            Some(next) => sums = next,
            // Here it ends. What an earlier log has left has another salt. What this one has left, of a transaction that was
            // torn or taken back, has the same, and its pages are sound, be it under a number that was written anew.
            None => {
                let is_left = is_near(frame, &salt) && (1..=most).any(|number| seal.fits_as(frame, number));
                return is_left || !frames.any(|later| later.get(8..16) == Some(&*salt));
            }
        }
    }
    true
}

/// The number of a frame's page.
fn number(frame: &[u8]) -> u32 {
    frame.first_chunk().map_or(0, |number| u32::from_be_bytes(*number))
}

/// Whether a frame is of this log, but for a bit: what an earlier log has left has a salt that differs in many.
fn is_near(frame: &[u8], salt: &[u8]) -> bool {
    let its_salt = frame.get(8..16).unwrap_or_default();
    its_salt.iter().zip(salt).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>() <= 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        database::{Contents, Database},
        key::FileKey,
        precious::{self, Precious},
    };

    const FRAME: usize = FRAME_HEADER + PAGE;

    /// A log as a program leaves it that is killed: several transactions, over what an earlier log has left.
    async fn left() -> (Vec<u8>, Seal) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("precious.db");
        let key = FileKey::random().unwrap();
        let database = Database::<Precious>::open(&path, &key).unwrap();
        let keep = async |names: std::ops::Range<u32>| {
            for n in names {
                let write = move |precious: &mut Precious| {
                    precious::keep(precious.connection(), &n.to_string(), &"ق".repeat(900))
                };
                database.write(write).await.unwrap();
            }
        };
        keep(0..40).await;
        let fold = |precious: &mut Precious| {
            Ok(precious.connection().query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))?)
        };
        database.alone(fold).await.unwrap();
        keep(40..45).await;
        let salt = fs::read(&path).unwrap()[..SALT].try_into().unwrap();
        (fs::read(beside(&path)).unwrap(), Seal::new(&key, salt).unwrap())
    }

    fn flip(log: &[u8], bit: usize) -> Vec<u8> {
        let mut log = log.to_vec();
        log[bit / 8] ^= 1 << (bit % 8);
        log
    }

    #[tokio::test]
    async fn one_bit_anywhere_is_put_right_and_what_an_earlier_log_left_is_not_touched() {
        let (whole, seal) = left().await;
        let mut same = whole.clone();
        assert!(corrected(&mut same, &seal) && same == whole);
        let salt = &whole[16..24];
        assert!(whole[HEADER..].chunks_exact(FRAME).all(|frame| seal.fits(frame)), "SQLCipher's seal is another");
        let current = whole[HEADER..].chunks_exact(FRAME).filter(|frame| &frame[8..16] == salt).count();
        let all = (whole.len() - HEADER) / FRAME;
        assert!(current > 3 && all > current + 3, "{current} of {all} frames: this shows nothing");
        let end = (HEADER + current * FRAME) * 8;
        let places = (0..(HEADER + FRAME_HEADER) * 8).step_by(3).chain((0..end).step_by(60_013)).chain([end - 1]);
        for bit in places {
            let mut log = flip(&whole, bit);
            assert!(corrected(&mut log, &seal), "bit {bit}");
            assert!(log == whole, "bit {bit} is not put right");
        }
    }

    /// A log as it is when a program was killed in a long transaction, and the next one in a short one.
    async fn left_twice() -> (Vec<u8>, Seal) {
        let folder = tempfile::tempdir().unwrap();
        let (path, again) = (folder.path().join("precious.db"), folder.path().join("again.db"));
        let key = FileKey::random().unwrap();
        let database = Database::<Precious>::open(&path, &key).unwrap();
        let (from, to) = (path.clone(), again.clone());
        let killed = move |precious: &mut Precious| {
            let c = precious.connection();
            precious::keep(c, "before", &"ق")?;
            c.execute_batch("PRAGMA cache_size = 5; BEGIN")?;
            for n in 0..60 {
                precious::keep(c, &format!("long {n}"), &"ق".repeat(900))?;
            }
            fs::copy(&from, &to)?;
            fs::copy(beside(&from), beside(&to))?;
            Ok(c.execute_batch("ROLLBACK")?)
        };
        database.alone(killed).await.unwrap();
        let database = Database::<Precious>::open(&again, &key).unwrap();
        database.write(|precious| precious::keep(precious.connection(), "short", &"ق")).await.unwrap();
        let salt = fs::read(&again).unwrap()[..SALT].try_into().unwrap();
        (fs::read(beside(&again)).unwrap(), Seal::new(&key, salt).unwrap())
    }

    #[tokio::test]
    async fn what_a_transaction_left_that_was_never_committed_is_no_damage() {
        let (log, seal) = left_twice().await;
        let salt = log[16..24].to_vec();
        let frames: Vec<&[u8]> = log[HEADER..].chunks_exact(FRAME).collect();
        let mut sums = header_sum(&log[..HEADER]).unwrap();
        let end = frames.iter().position(|frame| {
            frame_sum(frame, &salt, sums).is_none_or(|next| {
                sums = next;
                false
            })
        });
        let end = end.unwrap();
        let left = frames[end..].iter().filter(|frame| frame[8..16] == salt).count();
        assert!(end > 1 && left > 5, "{end} frames, and {left} are left: this shows nothing");
        let mut same = log.clone();
        assert!(corrected(&mut same, &seal) && same == log);
        // Killed between the head of the next frame and its page.
        let mut torn = log.clone();
        torn.copy_within(HEADER..HEADER + FRAME_HEADER, HEADER + end * FRAME);
        torn[HEADER + end * FRAME + 3] ^= 0x7f;
        let before = torn.clone();
        assert!(corrected(&mut torn, &seal) && torn == before);
        // And a bit in what was committed is put right all the same.
        let mut flipped = flip(&log, (HEADER + FRAME + 1_000) * 8);
        assert!(corrected(&mut flipped, &seal) && flipped == log);
    }

    #[tokio::test]
    async fn a_torn_end_is_no_damage_and_more_than_a_bit_in_the_midst_is() {
        let (whole, seal) = left().await;
        let salt = whole[16..24].to_vec();
        let last = whole[HEADER..].chunks_exact(FRAME).filter(|frame| frame[8..16] == salt).count() - 1;
        // Its head was written, and its page was not: an older one stands there.
        let mut torn = whole.clone();
        torn[HEADER + last * FRAME + FRAME_HEADER..][..PAGE].fill(0x5a);
        let before = torn.clone();
        assert!(corrected(&mut torn, &seal) && torn == before);
        let mut cut = whole[..HEADER + last * FRAME + 1_000].to_vec();
        assert!(corrected(&mut cut, &seal));
        let mut rotten = whole.clone();
        rotten[HEADER + FRAME + FRAME_HEADER..][..512].fill(0x5a);
        assert!(!corrected(&mut rotten, &seal));
        let mut headless = whole;
        headless[..HEADER].fill(0);
        assert!(!corrected(&mut headless, &seal));
        assert!(corrected(&mut [], &seal) && corrected(&mut [0; HEADER], &seal));
    }
}
