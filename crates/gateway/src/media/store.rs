//! Where files are kept: a folder or S3, under the agency's short name and the SHA-256 of what is in them.

use std::{collections::BTreeSet, fs::File, ops::Range, path::Path as Folder, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use axum::body::Bytes;
use domain::ids::MediaId;
use futures_util::{TryStreamExt as _, stream::BoxStream};
use object_store::{
    BackoffConfig, ClientOptions, Error, GetOptions, MultipartUpload as _, ObjectStore, ObjectStoreExt as _,
    RetryConfig, aws::AmazonS3Builder, local::LocalFileSystem, path::Path, prefix::PrefixStore,
};
use tokio::{io::AsyncReadExt as _, sync::Semaphore};

use super::kind;
use crate::{config, init::make_private};

/// What goes to S3 at once; it takes no smaller part but the last.
const PART: u64 = 5 << 20;
/// Bytes on their way into the store at once. They have a room of their own: what comes in never waits for them.
const ROOM: usize = 10 << 20;
/// For so long S3 may say nothing.
const SILENCE: Duration = Duration::from_secs(20);
const CONNECT: Duration = Duration::from_secs(5);

/// Where files are kept.
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    room: Semaphore,
}

/// A file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// How long it is.
    pub size: u64,
    /// What it is, by its content.
    pub kind: &'static str,
}

impl Store {
    /// Sets up what the configuration says; a folder is made if it is absent. S3 is not asked yet: that it cannot be
    /// reached keeps nothing else from working.
    pub fn open(media: &config::Media) -> Result<Self> {
        let objects: Arc<dyn ObjectStore> = match media {
            config::Media::Folder(folder) => Arc::new(in_folder(folder)?),
            config::Media::S3(settings) => Arc::new(in_s3(settings)?),
        };
        Ok(Self { objects, room: Semaphore::new(ROOM) })
    }

    /// Keeps a file, which is there whole or not at all; one that is there already is written over by its like.
    pub async fn put(&self, agency: &str, media: MediaId, file: File, size: u64) -> Result<()> {
        let mut file = tokio::fs::File::from_std(file);
        let path = path(agency, media);
        let _room = self.room.acquire_many(u32::try_from(size.min(PART))?).await?;
        if size <= PART {
            return self.objects.put(&path, part(&mut file).await?.into()).await.map(drop).context("Keeping a file");
        }
        let mut upload = self.objects.put_multipart(&path).await.context("Beginning to keep a file")?;
        let whole = async {
            loop {
                let part = part(&mut file).await?;
                if part.is_empty() {
                    break;
                }
                upload.put_part(part.into()).await.context("Keeping a part of a file")?;
            }
            upload.complete().await.map(drop).context("Keeping a file")
        };
        let whole = whole.await;
        if whole.is_err() {
            let _ = upload.abort().await;
        }
        whole
    }

    /// Looks at a file: how long it is, and what.
    pub async fn look(&self, agency: &str, media: MediaId) -> Result<Option<Found>> {
        let range = Some((0..kind::HEAD as u64).into());
        match self.objects.get_opts(&path(agency, media), GetOptions { range, ..GetOptions::default() }).await {
            Ok(found) => {
                let size = found.meta.size;
                let head = found.bytes().await.context("Reading the beginning of a file")?;
                Ok(Some(Found { size, kind: kind::of(&head) }))
            }
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error).context("Looking at a file"),
        }
    }

    /// Reads a part of a file, piece by piece.
    pub async fn read(
        &self,
        agency: &str,
        media: MediaId,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>> {
        let options = GetOptions { range: Some(range.into()), ..GetOptions::default() };
        let found = self.objects.get_opts(&path(agency, media), options).await.context("Reading a file")?;
        Ok(found.into_stream())
    }

    /// Deletes a file. That it is gone already is as good.
    pub async fn delete(&self, agency: &str, media: MediaId) -> Result<()> {
        match self.objects.delete(&path(agency, media)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error).context("Deleting a file"),
        }
    }

    /// Every file of an agency.
    pub async fn all(&self, agency: &str) -> Result<BTreeSet<MediaId>> {
        let listed = self.objects.list(Some(&Path::from(agency)));
        let named = listed.try_filter_map(async |object| {
            let name: Option<&str> = object.location.filename();
            Ok(name.and_then(|name| name.parse::<MediaId>().ok()))
        });
        named.try_collect().await.context("Listing the files")
    }
}

fn path(agency: &str, media: MediaId) -> Path {
    Path::from_iter([agency, &media.to_string()])
}

/// The next part of a file; nothing at its end.
async fn part(file: &mut tokio::fs::File) -> Result<Vec<u8>> {
    let mut part = Vec::new();
    file.take(PART).read_to_end(&mut part).await.context("Reading what was received")?;
    Ok(part)
}

fn in_folder(folder: &Folder) -> Result<LocalFileSystem> {
    make_private(folder)?;
    let files = LocalFileSystem::new_with_prefix(folder);
    // What was answered with 201 is on disk.
    Ok(files.with_context(|| format!("Opening the folder {}", folder.display()))?.with_fsync(true))
}

fn in_s3(settings: &config::S3) -> Result<PrefixStore<object_store::aws::AmazonS3>> {
    let config::S3 { bucket, prefix, endpoint, region, path_style, allow_http, access_key, secret_key } = settings;
    // A download takes as long as whoever reads it: its pieces have their time, and not the whole.
    let client = ClientOptions::new()
        .with_timeout_disabled()
        .with_read_timeout(SILENCE)
        .with_connect_timeout(CONNECT)
        .with_allow_http(*allow_http);
    let retry = RetryConfig { backoff: BackoffConfig::default(), max_retries: 3, retry_timeout: SILENCE };
    let mut builder = AmazonS3Builder::new()
        .with_client_options(client)
        .with_retry(retry)
        .with_bucket_name(bucket)
        .with_region(region)
        .with_virtual_hosted_style_request(!path_style)
        .with_access_key_id(access_key.expose())
        .with_secret_access_key(secret_key.expose())
        // Deleting several at once is what servers understand least alike.
        .with_disable_bulk_delete(true);
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    let bucket = builder.build().context("Setting up S3")?;
    Ok(PrefixStore::new(bucket, Path::from(prefix.as_str())))
}
