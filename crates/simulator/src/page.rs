//! The telephone page and its parts, kept in the program.

use std::sync::Arc;

use axum::{
    Router,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};

use crate::Simulator;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Each part: where it lies, what it is, what it says.
const PARTS: &[(&str, &str, &[u8])] = &[
    ("/", "text/html; charset=utf-8", include_bytes!("page/index.html")),
    ("/icon.svg", "image/svg+xml", include_bytes!("page/icon.svg")),
    ("/page.css", "text/css; charset=utf-8", include_bytes!("page/page.css")),
    ("/words.js", "text/javascript; charset=utf-8", include_bytes!("page/words.js")),
    ("/page.js", "text/javascript; charset=utf-8", include_bytes!("page/page.js")),
    ("/arabic-400.woff2", "font/woff2", include_bytes!("page/ibm-plex-sans-arabic-arabic-400-normal.woff2")),
    ("/arabic-600.woff2", "font/woff2", include_bytes!("page/ibm-plex-sans-arabic-arabic-600-normal.woff2")),
    ("/latin-400.woff2", "font/woff2", include_bytes!("page/ibm-plex-sans-arabic-latin-400-normal.woff2")),
    ("/latin-600.woff2", "font/woff2", include_bytes!("page/ibm-plex-sans-arabic-latin-600-normal.woff2")),
];

pub(crate) fn routes() -> Router<Arc<Simulator>> {
    PARTS.iter().fold(Router::new(), |router, (path, kind, body)| {
        router.route(path, get(move || async move { part(kind, body) }))
    })
}

fn part(kind: &'static str, body: &'static [u8]) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, body).into_response()
}
