//! One kept connection with one request at a time, and as little between the load and the socket as can be.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Method, Request,
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
    header::{self, HeaderValue},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A connection to a server.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
}

/// What a server said.
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: u16,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: Bytes,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("Connecting")?;
        stream.set_nodelay(true).context("Connecting")?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.context("Connecting")?;
        tokio::spawn(connection);
        Ok(Self { sender, host: HeaderValue::try_from(address.to_string()).context("Connecting")? })
    }

    /// Asks, and reads the whole answer.
    pub(crate) async fn ask(&mut self, mut request: Request<Full<Bytes>>) -> Result<Answer> {
        request.headers_mut().insert(header::HOST, self.host.clone());
        self.sender.ready().await.context("Asking")?;
        let answer = self.sender.send_request(request).await.context("Asking")?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.context("Reading an answer")?.to_bytes();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// Posts JSON.
    pub(crate) async fn post(&mut self, path: &str, token: Option<&str>, body: &Value) -> Result<Answer> {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.ask(request.body(Full::from(body.to_string()))?).await
    }

    /// Gets what is there.
    pub(crate) async fn get(&mut self, path: &str, token: &str) -> Result<Answer> {
        let request = Request::builder().method(Method::GET).uri(path);
        self.ask(request.header(header::AUTHORIZATION, format!("Bearer {token}")).body(Full::default())?).await
    }
}

impl Answer {
    /// Its JSON, if it has this status.
    pub(crate) fn json(&self, expected: u16) -> Result<Value> {
        ensure!(self.status == expected, "The answer is {}: {}", self.status, String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).context("Reading an answer")
    }
}
