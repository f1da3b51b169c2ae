//! `POST /api/v1/media`: a file comes.

use std::{fs::File, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{
    Json,
    body::{Body, BodyDataStream},
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use domain::{
    ids::{MediaId, Millis},
    permission::Act,
    wire::Uploaded,
};
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncSeekExt as _, AsyncWriteExt as _},
    time::{Instant, timeout_at},
};

use super::{Media, kind};
use crate::{
    commands,
    failure::Failure,
    gateway::Gateway,
    requests::{self, Signed},
    uploads::{self, Upload},
};

/// The longest that WhatsApp takes: a document (Meta, cloud-api/reference/media).
pub const LARGEST: u64 = 100 << 20;
/// So much has to come in the time that a request's body has; a longer file has that time for each such share.
const SHARE: u64 = 8 << 20;
/// What a person may upload in a day.
const A_DAY: u64 = 2 << 30;
const DAY: Millis = 24 * 3_600_000;
/// Bytes that wait for the disk.
const BUFFER: usize = 64 << 10;

/// Takes a file.
pub async fn upload(
    State(gateway): State<Arc<Gateway>>,
    signed: Signed,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Uploaded>), Failure> {
    let media = gateway.media.clone().ok_or_else(|| Failure::not_found("This gateway keeps no files"))?;
    requests::must_not_be_encoded(&headers)?;
    // A file serves a reply or a note and nothing else, so it is for whoever may write one.
    signed.must(Act::Answer).await?;
    commands::must_not_wait(&gateway, signed.token, 1)?;
    let seat = Arc::clone(&media.seats).try_acquire_owned();
    let seat = seat.map_err(|_| Failure::not_ready("Too many files come at once").retry_after(2))?;
    let received = receive(&gateway, &media, &headers, body).await?;
    let kind = kind::of(&received.head);
    if !kind::fits(kind, headers.get(header::CONTENT_TYPE).and_then(|said| said.to_str().ok())) {
        return Err(Failure::unsupported(format!("The file is not what Content-Type says: it is {kind}")));
    }
    let upload = Upload { media: received.media, staff: signed.staff, size: received.size, kind };
    // Once it is received it is kept to the end, though whoever sent it may have gone.
    let keeping = tokio::spawn(async move {
        let _seat = seat;
        keep(&gateway, &media, &signed, upload, received.file).await
    });
    keeping.await.context("Keeping a file")??;
    let Upload { media, size, kind, .. } = upload;
    Ok((StatusCode::CREATED, Json(Uploaded { sha256: media, size, r#type: kind.to_owned() })))
}

async fn keep(gateway: &Gateway, media: &Media, signed: &Signed, upload: Upload, file: File) -> Result<(), Failure> {
    let (agency, now) = (&signed.agency, gateway.clock.now());
    let begun = agency
        .change(move |batch| {
            let room = uploads::taken(batch, upload.staff, now - DAY)?.saturating_add(upload.size) <= A_DAY;
            if room {
                uploads::begin(batch, &upload, now)?;
            }
            Ok((room, None))
        })
        .await?;
    if !begun {
        return Err(Failure::too_many("Too much was uploaded within a day").retry_after(3600));
    }
    media.store.put(&agency.id, upload.media, file, upload.size).await.map_err(|error| not_kept(&error))?;
    agency.change(move |batch| Ok((uploads::kept(batch, upload.media, upload.staff)?, None))).await
}

fn not_kept(error: &anyhow::Error) -> Failure {
    tracing::error!(error = format!("{error:#}"), "A file could not be kept");
    Failure::not_stored("The file could not be kept; send it again").retry_after(5)
}

/// A file that came whole.
struct Received {
    media: MediaId,
    size: u64,
    head: Vec<u8>,
    file: File,
}

async fn receive(gateway: &Gateway, media: &Media, headers: &HeaderMap, body: Body) -> Result<Received, Failure> {
    let too_large = || Failure::too_large(format!("A file has at most {LARGEST} bytes"));
    if requests::said_length(headers).is_some_and(|length| length > LARGEST) {
        return Err(too_large());
    }
    let spool = media.spool.clone();
    let made = tokio::task::spawn_blocking(move || tempfile::tempfile_in(spool)).await.context("Making a file")?;
    let mut file = tokio::fs::File::from_std(made.context("Making a file").map_err(|error| not_kept(&error))?);
    file.set_max_buf_size(BUFFER);
    let (mut chunks, mut hash, mut head, mut size) = (body.into_data_stream(), Sha256::new(), Vec::new(), 0);
    let (began, within) = (Instant::now(), gateway.limits.body());
    loop {
        let until = began + share(within, size);
        let Ok(moved) = timeout_at(until, next(gateway, &mut chunks, &mut file, &mut hash, &mut head)).await else {
            return Err(Failure::too_slow("The file did not come in time"));
        };
        match moved? {
            0 => break,
            moved => size += moved,
        }
        if size > LARGEST {
            return Err(too_large());
        }
    }
    if size == 0 {
        return Err(Failure::bad_request("The file is empty"));
    }
    let whole = async {
        file.flush().await?;
        file.rewind().await
    };
    whole.await.context("Writing a file down").map_err(|error| not_kept(&error))?;
    Ok(Received { media: MediaId(hash.finalize().into()), size, head, file: file.into_std().await })
}

/// The time of a body that has come so far.
fn share(within: Duration, size: u64) -> Duration {
    within * u32::try_from(1 + size / SHARE).unwrap_or(u32::MAX)
}

/// Writes the next piece down; how long it was, 0 at the end.
async fn next(
    gateway: &Gateway,
    chunks: &mut BodyDataStream,
    file: &mut tokio::fs::File,
    hash: &mut Sha256,
    head: &mut Vec<u8>,
) -> Result<u64, Failure> {
    let chunk = loop {
        match chunks.next().await {
            Some(Ok(chunk)) if chunk.is_empty() => {}
            Some(Ok(chunk)) => break chunk,
            Some(Err(_)) => return Err(Failure::bad_request("The body broke off")),
            None => return Ok(0),
        }
    };
    // While it is in memory it takes its part of the room that all bodies share; it waits, having come so far.
    let _room = match u32::try_from(chunk.len()) {
        Ok(length) => gateway.room.acquire_many(length).await.context("Waiting for room")?,
        Err(_) => return Err(Failure::too_large("A piece of the body is too long")),
    };
    let missing = kind::HEAD.saturating_sub(head.len());
    head.extend(chunk.iter().take(missing));
    hash.update(&chunk);
    file.write_all(&chunk).await.context("Writing a file down").map_err(|error| not_kept(&error))?;
    Ok(chunk.len() as u64)
}
