//! `GET /api/v1/media/{sha256}`: a file goes, to whoever sees a case to which it belongs, or has sent it themself of late.
//! What one may not see answers as what is not there.
//!
//! It is handed out to be saved, never to be shown by a browser as part of anything: no program that it brings runs.

use std::{ops::Range, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use domain::ids::MediaId;

use crate::{failure::Failure, gateway::Gateway, requests::Signed, uploads};

const ALWAYS: [(HeaderName, HeaderValue); 6] = [
    (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
    // Kept by whoever asked, and asked about again each time: what one may see changes.
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    (header::VARY, HeaderValue::from_static("authorization")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Hands a file out, or a part of it.
pub async fn download(
    State(gateway): State<Arc<Gateway>>,
    signed: Signed,
    Path(name): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let nothing = || Failure::not_found("There is no such file");
    let media: MediaId = name.parse().map_err(|_| nothing())?;
    let (staff, now) = (signed.staff, gateway.clock.now());
    let may = signed
        .agency
        .read(move |reader| {
            let Some(staff) = reader.records.staff(staff)? else { return Ok(false) };
            Ok(reader.records.sees_media(&staff.viewer, media)?
                || uploads::is_own_to_read(&reader.journal, media, staff.viewer.staff, now)?)
        })
        .await?;
    let keeper = gateway.media.as_ref().filter(|_| may).ok_or_else(nothing)?;

    // The name is the content's own, so it never changes.
    let tag = format!("\"{media}\"");
    let named = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let etag = HeaderValue::from_str(&tag).map_err(|error| anyhow::Error::new(error).context("Writing a tag"))?;
    if named(header::IF_NONE_MATCH).is_some_and(|tags| matches(tags, &tag)) {
        return Ok((StatusCode::NOT_MODIFIED, ALWAYS, [(header::ETAG, etag)]).into_response());
    }
    let agency = &signed.agency.id;
    let found = keeper.store.look(agency, media).await?.ok_or_else(nothing)?;
    let range = named(header::RANGE).filter(|_| method == Method::GET);
    let range = range.filter(|_| named(header::IF_RANGE).is_none_or(|given| given == tag));
    let (status, part) = match range.map_or(Asked::Whole, |range| asked(range, found.size)) {
        Asked::Whole => (StatusCode::OK, 0..found.size),
        Asked::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Asked::Beyond => {
            let size = [(header::CONTENT_RANGE, format!("bytes */{}", found.size))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, ALWAYS, size).into_response());
        }
    };
    let length = part.end - part.start;
    let place = format!("bytes {}-{}/{}", part.start, part.end.saturating_sub(1), found.size);
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        Body::from_stream(keeper.store.read(agency, media, part).await?)
    };
    let mut response = (status, ALWAYS, body).into_response();
    let fields = response.headers_mut();
    fields.insert(header::ETAG, etag);
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(found.kind));
    fields.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if status == StatusCode::PARTIAL_CONTENT {
        let place =
            HeaderValue::from_str(&place).map_err(|error| anyhow::Error::new(error).context("Writing a range"))?;
        fields.insert(header::CONTENT_RANGE, place);
    }
    Ok(response)
}

/// Whether one of the tags in `If-None-Match` is this one; a weak one will do (RFC 9110, 13.1.2).
fn matches(tags: &str, tag: &str) -> bool {
    tags.split(',').map(str::trim).any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<u64>),
    Beyond,
}

/// What `Range` asks for: one part, or the whole where it asks for several, or for what makes no sense (RFC 9110, 14.2).
/// The library at hand takes the last 100 bytes of a file of 50 for an error, and a range the wrong way round for one
/// beyond the end.
fn asked(range: &str, size: u64) -> Asked {
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-')) else {
        return Asked::Whole;
    };
    let part = match (number(first), number(last)) {
        (None, Some(last)) if first.is_empty() => size.saturating_sub(last)..size,
        (Some(first), None) if last.is_empty() => first..size,
        (Some(first), Some(last)) if first <= last => first..size.min(last.saturating_add(1)),
        _ => return Asked::Whole,
    };
    if part.is_empty() { Asked::Beyond } else { Asked::Part(part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_it_is_meant() {
        for (range, part) in [
            ("bytes=0-0", Asked::Part(0..1)),
            ("bytes=0-49", Asked::Part(0..50)),
            ("bytes=10-1000", Asked::Part(10..50)),
            ("bytes=49-", Asked::Part(49..50)),
            ("bytes=-1", Asked::Part(49..50)),
            ("bytes=-100", Asked::Part(0..50)),
            ("bytes=7-18446744073709551615", Asked::Part(7..50)),
            ("bytes=50-", Asked::Beyond),
            ("bytes=50-60", Asked::Beyond),
            ("bytes=-0", Asked::Beyond),
            ("bytes=5-2", Asked::Whole),
            ("bytes=0-1,3-4", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("bytes=+1-2", Asked::Whole),
            ("bytes=--1", Asked::Whole),
            ("lines=0-1", Asked::Whole),
            ("", Asked::Whole),
        ] {
            assert_eq!(asked(range, 50), part, "{range}");
        }
    }

    #[test]
    fn a_tag_is_found_among_others() {
        for tags in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*"] {
            assert!(matches(tags, "\"a\""), "{tags}");
        }
        for tags in ["", "a", "\"b\"", "\"A\""] {
            assert!(!matches(tags, "\"a\""), "{tags}");
        }
    }
}
