//! The client against a server that answers as it is told.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Json, Router, extract::State, http::HeaderMap, http::StatusCode, http::Uri, response::IntoResponse};
use domain::entry::{IdentifierKind, Recipient};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Mutex,
};
use whatsapp::client::{Accepted, Again, Client, SendFailure, Timeouts, http};

type Seen = Arc<Mutex<Vec<(String, String, Value)>>>;

async fn server(status: u16, answer: Value) -> (SocketAddr, Seen) {
    let seen = Seen::default();
    let app = Router::new()
        .fallback(move |State(seen): State<Seen>, uri: Uri, headers: HeaderMap, Json(body): Json<Value>| {
            let answer = answer.clone();
            async move {
                let token = headers["authorization"].to_str().unwrap().to_owned();
                seen.lock().await.push((uri.path().to_owned(), token, body));
                (StatusCode::from_u16(status).unwrap(), [("location", "/elsewhere")], Json(answer)).into_response()
            }
        })
        .with_state(seen.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, seen)
}

/// A server that reads the whole request and then does `then` with the connection.
async fn raw_server(then: &'static [u8], hang: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                let mut buffer = [0; 4096];
                let read = stream.read(&mut buffer).await.unwrap();
                request.extend(buffer.iter().take(read));
            }
            stream.write_all(then).await.unwrap();
            if hang {
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
        }
    });
    address
}

fn client(address: SocketAddr) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let timeouts = Timeouts { connect: Duration::from_millis(500), answer: Duration::from_millis(700) };
    Client::new(http(timeouts).unwrap(), &format!("http://{address}/"), "v26.0", "10650001", "TOKEN")
}

fn phone() -> Recipient {
    Recipient { kind: IdentifierKind::Phone, value: "96550000101".into() }
}

async fn send(address: SocketAddr) -> Result<Accepted, SendFailure> {
    client(address).send_text(&phone(), "نص", None, "0190").await
}

async fn failure(status: u16, answer: Value) -> SendFailure {
    let (address, seen) = server(status, answer).await;
    let failure = send(address).await.unwrap_err();
    assert_eq!(seen.lock().await.len(), 1, "one POST, whatever the answer");
    failure
}

#[tokio::test]
async fn a_text_is_accepted() {
    let (address, seen) =
        server(200, json!({"messaging_product": "whatsapp", "contacts": [], "messages": [{"id": "wamid.X"}]})).await;
    assert_eq!(send(address).await, Ok(Accepted { wamid: "wamid.X".into() }));
    let bsuid = Recipient { kind: IdentifierKind::Bsuid, value: "KW.1".into() };
    client(address).send_text(&bsuid, "نص", Some("wamid.Q"), "0191").await.unwrap();
    client(address).mark_read("wamid.R").await.unwrap();

    let seen = seen.lock().await;
    assert!(seen.iter().all(|(path, token, _)| path == "/v26.0/10650001/messages" && token == "Bearer TOKEN"));
    let bodies: Vec<&Value> = seen.iter().map(|it| &it.2).collect();
    let text = |extra: Value| {
        let mut body = json!({"messaging_product": "whatsapp", "recipient_type": "individual", "type": "text", "text": {"body": "نص"}});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        body
    };
    let expected = [
        text(json!({"to": "+96550000101", "biz_opaque_callback_data": "0190"})),
        text(json!({"recipient": "KW.1", "context": {"message_id": "wamid.Q"}, "biz_opaque_callback_data": "0191"})),
        json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.R"}),
    ];
    assert_eq!(bodies, expected.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn metas_codes_decide() {
    let error = |code: i64| json!({"error": {"message": "No", "code": code, "error_data": {"details": "Why"}, "fbtrace_id": "T"}});
    assert!(matches!(failure(400, error(130_429)).await, SendFailure::NotSent(Again::Rate, _)));
    assert!(matches!(failure(400, error(131_056)).await, SendFailure::NotSent(Again::PairRate, _)));
    assert!(matches!(failure(401, error(190)).await, SendFailure::Stop(_)));
    assert!(matches!(failure(500, error(131_000)).await, SendFailure::Ambiguous(_)));
    let refused = failure(400, error(131_047)).await;
    assert!(matches!(refused, SendFailure::Refused(_)));
    let error = refused.error();
    assert_eq!((error.code, error.details.as_deref(), error.trace.as_deref()), (Some(131_047), Some("Why"), Some("T")));
}

#[tokio::test]
async fn no_redirect_is_followed() {
    assert!(matches!(failure(307, json!({})).await, SendFailure::Ambiguous(_)));
}

#[tokio::test]
async fn an_acceptance_without_an_id_is_no_proof() {
    assert!(matches!(failure(200, json!({"messages": []})).await, SendFailure::Ambiguous(_)));
}

#[tokio::test]
async fn a_refused_connection_sent_nothing() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let failure = send(address).await.unwrap_err();
    assert!(matches!(failure, SendFailure::NotSent(Again::Connection, _)), "{failure:?}");
    assert!(!format!("{failure:?}{failure}").contains("10650001"), "the address names the number: {failure:?}");
}

#[tokio::test]
async fn a_failed_handshake_sent_nothing() {
    let address = raw_server(b"", false).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let timeouts = Timeouts { connect: Duration::from_millis(300), answer: Duration::from_secs(5) };
    let client = Client::new(http(timeouts).unwrap(), &format!("https://{address}"), "v26.0", "1", "TOKEN");
    let failure = client.send_text(&phone(), "نص", None, "0190").await.unwrap_err();
    assert!(matches!(failure, SendFailure::NotSent(Again::Connection, _)), "{failure:?}");
}

#[tokio::test]
async fn after_the_request_went_out_nothing_is_certain() {
    let silent = raw_server(b"", true).await;
    let closed = raw_server(b"", false).await;
    let half = raw_server(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"messages\"", false).await;
    let garbled = raw_server(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nYes", false).await;
    for (name, address) in [("silent", silent), ("closed", closed), ("half", half), ("garbled", garbled)] {
        match send(address).await {
            Err(SendFailure::Ambiguous(_)) => {}
            other => panic!("{name}: {other:?}"),
        }
    }
}
