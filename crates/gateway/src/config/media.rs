//! `[storage] media` and `[storage.s3]`: where files are kept.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Check, Secret};

/// Where files are kept.
#[derive(Debug)]
pub enum Media {
    /// In a folder.
    Folder(PathBuf),
    /// In a bucket of S3, or of what speaks like it.
    S3(S3),
}

/// A bucket.
#[derive(Debug)]
pub struct S3 {
    /// Its name.
    pub bucket: String,
    /// What every key in it begins with.
    pub prefix: String,
    /// Where it is; Amazon's own where absent.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// Whether the bucket stands in the path instead of the host's name.
    pub path_style: bool,
    /// Whether the endpoint may be one without TLS.
    pub allow_http: bool,
    /// The id of the key.
    pub access_key: Secret,
    /// The key.
    pub secret_key: Secret,
}

/// `[storage.s3]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct S3File {
    endpoint: Option<String>,
    region: Option<String>,
    #[serde(default)]
    path_style: bool,
    #[serde(default)]
    allow_http: bool,
    access_key_file: Option<PathBuf>,
    access_key_env: Option<String>,
    secret_key_file: Option<PathBuf>,
    secret_key_env: Option<String>,
}

impl Check {
    pub(super) fn media(&mut self, media: Option<&str>, s3: Option<S3File>) -> Option<Media> {
        let Some(media) = media else {
            self.warnings.push("[storage] media is not given: no files can be kept".to_owned());
            return None;
        };
        match (media.strip_prefix("file:"), media.strip_prefix("s3://")) {
            (Some(folder), _) if !folder.is_empty() => {
                if s3.is_some() {
                    self.wrong("[storage.s3] is given, and media is in a folder: one of them is too much");
                }
                Some(Media::Folder(self.folder.join(folder)))
            }
            (_, Some(place)) => self.s3(place, s3).map(Media::S3),
            _ => {
                self.wrong(format!(
                    "[storage] media = {media:?} is not of the form \"file:FOLDER\" or \"s3://BUCKET/PREFIX\""
                ));
                None
            }
        }
    }

    fn s3(&mut self, place: &str, s3: Option<S3File>) -> Option<S3> {
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        if bucket.is_empty() || !bucket.chars().all(plain) {
            self.wrong(format!(
                "[storage] media = \"s3://{place}\": a bucket's name has small letters, digits, hyphens and dots"
            ));
        }
        let Some(given) = s3 else {
            self.wrong("[storage.s3] is missing: media in S3 needs access_key_file and secret_key_file, or …_env");
            return None;
        };
        let what = "[storage.s3] access_key";
        let access_key = self.secret(what, given.access_key_file, given.access_key_env);
        if access_key.is_none() {
            self.wrong(format!("{what}: give access_key_file or access_key_env"));
        }
        let what = "[storage.s3] secret_key";
        let secret_key = self.secret(what, given.secret_key_file, given.secret_key_env);
        if secret_key.is_none() {
            self.wrong(format!("{what}: give secret_key_file or secret_key_env"));
        }
        let region = given.region.or_else(|| given.endpoint.as_ref().map(|_| "us-east-1".to_owned()));
        if region.is_none() {
            self.wrong("[storage.s3] region is missing: Amazon's own endpoint goes by it");
        }
        let endpoint = match given.endpoint {
            Some(endpoint) => Some(self.endpoint(&endpoint, bucket, given.path_style, given.allow_http)?),
            None => None,
        };
        Some(S3 {
            bucket: bucket.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            endpoint,
            region: region?,
            path_style: given.path_style,
            allow_http: given.allow_http,
            access_key: access_key?,
            secret_key: secret_key?,
        })
    }

    /// The endpoint as it is spoken to: with the bucket in its name, unless that stands in the path.
    fn endpoint(&mut self, endpoint: &str, bucket: &str, path_style: bool, allow_http: bool) -> Option<String> {
        let (scheme, host) = match endpoint.split_once("://") {
            Some(("http", _)) if !allow_http => {
                self.wrong(format!(
                    "[storage.s3] endpoint = {endpoint:?}: files and what allows to read them would travel in the \
                     clear; say allow_http = true if nobody else is on the way"
                ));
                return None;
            }
            Some((scheme @ ("http" | "https"), host)) if !host.is_empty() => (scheme, host.trim_end_matches('/')),
            _ => {
                self.wrong(format!("[storage.s3] endpoint = {endpoint:?} must begin with https://"));
                return None;
            }
        };
        Some(if path_style { format!("{scheme}://{host}") } else { format!("{scheme}://{bucket}.{host}") })
    }
}
