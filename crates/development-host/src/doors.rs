//! Who may knock: a page that this host served itself, and nobody else.
//!
//! Loopback alone is no protection: any web page in the same browser can reach it, and a name that resolves to
//! 127.0.0.1 (DNS rebinding) even counts as the page's own origin. So a request must name this host by its own address,
//! and a browser's `Origin` must be the same.

use std::net::SocketAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// The same strictness as in the desktop shell.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Turns strangers away, and sends every answer with the headers that keep the page to itself.
pub(crate) async fn guard(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    let mut response = if is_ours(request.headers(), address) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "This host answers to its own address and its own page only").into_response()
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn is_ours(headers: &HeaderMap, address: SocketAddr) -> bool {
    let names = [address.to_string(), format!("localhost:{}", address.port())];
    let one = |name: HeaderName| {
        let mut values = headers.get_all(name).iter();
        let first = values.next().map(|value| value.to_str().unwrap_or_default());
        if values.next().is_some() { Some("") } else { first }
    };
    let host = one(header::HOST).is_some_and(|host| names.iter().any(|name| name == host));
    let origin = one(header::ORIGIN).is_none_or(|origin| names.iter().any(|name| origin == format!("http://{name}")));
    host && origin
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        is_ours(&headers, "127.0.0.1:8123".parse().unwrap())
    }

    #[test]
    fn only_its_own_page_may_knock() {
        assert!(asked(&[("host", "127.0.0.1:8123")]));
        assert!(asked(&[("host", "localhost:8123"), ("origin", "http://localhost:8123")]));
        assert!(!asked(&[]));
        assert!(!asked(&[("host", "rebound.example:8123")]));
        assert!(!asked(&[("host", "127.0.0.1:8124")]));
        assert!(!asked(&[("host", "127.0.0.1:8123"), ("host", "rebound.example:8123")]));
        assert!(!asked(&[("host", "127.0.0.1:8123"), ("origin", "http://evil.example")]));
        assert!(!asked(&[("host", "127.0.0.1:8123"), ("origin", "null")]));
        assert!(!asked(&[("host", "127.0.0.1:8123"), ("origin", "https://127.0.0.1:8123")]));
    }
}
