//! The gateway as the desk reaches it: sessions, sync, live, commands.

use std::{net::IpAddr, sync::Once, time::Duration};

use domain::{
    ids::Seq,
    wire::{self, Answer, SessionAnswer, SessionRequest, THROUGH_HEADER, VERSION_HEADER},
};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde_json::value::RawValue;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, client::IntoClientRequest, http::HeaderValue, protocol::WebSocketConfig},
};

use crate::steps::place_of;

/// The longest line of `sync`, and the largest frame of `live`.
const LONGEST_LINE: usize = 4 << 20;

/// Why the gateway did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// There was nobody to ask: nothing has left this computer.
    #[error("There is no connection to the gateway: {0}")]
    NoConnection(String),
    /// No answer, or one that says to come again: nothing is known to have happened.
    #[error("The gateway cannot be reached: {0}")]
    Unreachable(String),
    /// It asks for patience.
    #[error("The gateway asks to wait")]
    SlowDown(Option<Duration>),
    /// It does not know this device's token, or this password.
    #[error("The gateway did not let us in")]
    NotLetIn,
    /// The administration has shut this device out: what it keeps must go.
    #[error("The gateway has shut this device out")]
    Revoked,
    /// The cursor is of another journal.
    #[error("The gateway keeps another journal now")]
    OtherJournal,
    /// It asks for a newer program.
    #[error("The gateway asks for a newer program")]
    TooOld,
    /// It refused, and would again.
    #[error("The gateway refused with {status}: {code}")]
    Refused { status: u16, code: String },
    /// Whatever answered speaks another language.
    #[error("What answered is not a gateway: {0}")]
    NotAGateway(String),
}

/// An address that is not one, or not a safe one.
#[derive(Debug, thiserror::Error)]
#[error("The gateway's address {0}")]
pub(crate) struct BadAddress(&'static str);

/// The socket of `live`.
pub(crate) type Live = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One gateway.
#[derive(Clone)]
pub(crate) struct Gateway {
    address: Url,
    http: reqwest::Client,
}

impl Gateway {
    /// The gateway at `address`: `https` anywhere, `http` on this computer only.
    pub(crate) fn at(address: &str) -> Result<Self, BadAddress> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // An error says that somebody else in this process was first: that one serves as well.
            drop(rustls::crypto::ring::default_provider().install_default());
        });
        let address = address_of(address)?;
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("shubbak/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(60))
            .redirect(reqwest::redirect::Policy::none());
        if is_loopback(&address) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|_| BadAddress("cannot be used: the system's certificates cannot be read"))?;
        Ok(Self { address, http })
    }

    /// The address as it is kept: without a slash at its end.
    pub(crate) fn address(&self) -> &str {
        self.address.as_str().trim_end_matches('/')
    }

    /// Signs a device in.
    pub(crate) async fn sign_in(&self, request: &SessionRequest) -> Result<SessionAnswer, Failure> {
        read(
            send(self.request(Method::POST, self.url("session")).timeout(Duration::from_secs(60)).json(request))
                .await?,
        )
        .await
    }

    /// Signs this device out.
    pub(crate) async fn sign_out(&self, token: &str) -> Result<(), Failure> {
        let request =
            self.request(Method::DELETE, self.url("session")).timeout(Duration::from_secs(5)).bearer_auth(token);
        send(request).await.map(drop)
    }

    /// Whether anybody is there. Whatever it answers: this asks for nothing.
    pub(crate) async fn knock(&self) -> Result<(), Failure> {
        let request = self.request(Method::HEAD, self.url("session")).timeout(Duration::from_secs(15));
        request.send().await.map(drop).map_err(unanswered)
    }

    /// Sends commands and brings their answers, in their order.
    pub(crate) async fn commands(&self, token: &str, commands: &[Box<RawValue>]) -> Result<Vec<Answer>, Failure> {
        let request =
            self.request(Method::POST, self.url("commands")).timeout(Duration::from_secs(30)).bearer_auth(token);
        read(send(request.json(commands)).await?).await
    }

    /// What happened since `after`.
    pub(crate) async fn sync(&self, token: &str, after: &str) -> Result<Lines, Failure> {
        let mut url = self.url("sync");
        url.query_pairs_mut().append_pair("after", after);
        let response = send(self.request(Method::GET, url).bearer_auth(token)).await?;
        let through = response.headers().get(THROUGH_HEADER).and_then(|seq| seq.to_str().ok()?.parse().ok());
        Ok(Lines { response, through, rest: Vec::new(), read: 0 })
    }

    /// What happens from `after` on.
    pub(crate) async fn live(&self, token: &str, after: &str) -> Result<Live, Failure> {
        let mut url = self.url("live");
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        url.query_pairs_mut().append_pair("after", after);
        let unreachable = |error: &dyn std::fmt::Display| Failure::Unreachable(error.to_string());
        if url.set_scheme(scheme).is_err() {
            return Err(Failure::Unreachable("the address has no WebSocket scheme".into()));
        }
        let mut request = url.as_str().into_client_request().map_err(|error| unreachable(&error))?;
        let mut bearer = HeaderValue::try_from(format!("Bearer {token}")).map_err(|error| unreachable(&error))?;
        bearer.set_sensitive(true);
        request.headers_mut().insert("authorization", bearer);
        request.headers_mut().insert(VERSION_HEADER, HeaderValue::from(wire::CONTRACT));
        let config = WebSocketConfig::default().max_message_size(Some(LONGEST_LINE)).max_frame_size(Some(LONGEST_LINE));
        let connecting = tokio_tungstenite::connect_async_with_config(request, Some(config), true);
        match tokio::time::timeout(Duration::from_secs(20), connecting).await {
            Ok(Ok((live, _))) => Ok(live),
            Ok(Err(tungstenite::Error::Http(response))) => {
                let problem = response.body().as_ref().and_then(|body| serde_json::from_slice(body).ok());
                Err(failure(response.status(), None, problem))
            }
            Ok(Err(error)) => Err(unreachable(&error)),
            Err(_) => Err(Failure::Unreachable("no answer in 20 seconds".into())),
        }
    }

    fn url(&self, what: &str) -> Url {
        let mut url = self.address.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v1", what]);
        }
        url
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url).header(VERSION_HEADER, wire::CONTRACT)
    }
}

/// The lines of `sync`, as they come.
pub(crate) struct Lines {
    response: Response,
    /// Up to which seq they go; a gateway older than this program does not say it.
    pub(crate) through: Option<Seq>,
    rest: Vec<u8>,
    read: usize,
}

impl Lines {
    /// The next line without its end; `None` after the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        loop {
            let unread = self.rest.get(self.read..).unwrap_or_default();
            if let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
                let line = unread.get(..end).unwrap_or_default().to_vec();
                self.read += end + 1;
                if line.is_empty() {
                    continue;
                }
                return Ok(Some(line));
            }
            self.rest.drain(..self.read);
            self.read = 0;
            if self.rest.len() > LONGEST_LINE {
                return Err(Failure::NotAGateway("a line of sync has no end".into()));
            }
            match self.response.chunk().await {
                Ok(Some(bytes)) => self.rest.extend_from_slice(&bytes),
                Ok(None) if self.rest.is_empty() => return Ok(None),
                Ok(None) => return Err(Failure::Unreachable("sync broke off within a line".into())),
                Err(error) => return Err(Failure::Unreachable(error.without_url().to_string())),
            }
        }
    }
}

/// The next text of `live`; `None` when it was closed.
pub(crate) async fn next_frame(live: &mut Live) -> Result<Option<String>, Failure> {
    while let Some(frame) = live.next().await {
        match frame {
            Ok(tungstenite::Message::Text(text)) => return Ok(Some(text.to_string())),
            Ok(tungstenite::Message::Close(_)) => return Ok(None),
            Ok(_) => {}
            Err(error) => return Err(Failure::Unreachable(error.to_string())),
        }
    }
    Ok(None)
}

/// Says something up the socket.
pub(crate) async fn say(live: &mut Live, up: wire::Up) -> Result<(), Failure> {
    let unreachable = |error: &dyn std::fmt::Display| Failure::Unreachable(error.to_string());
    let text = serde_json::to_string(&up).map_err(|error| unreachable(&error))?;
    let saying = live.send(tungstenite::Message::text(text));
    match tokio::time::timeout(Duration::from_secs(10), saying).await {
        Ok(said) => said.map_err(|error| unreachable(&error)),
        Err(_) => Err(Failure::Unreachable("the socket takes nothing".into())),
    }
}

async fn send(request: RequestBuilder) -> Result<Response, Failure> {
    let response = request.send().await.map_err(unanswered)?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let problem = response.json::<wire::Problem>().await.ok();
    Err(failure(status, wait.map(Duration::from_secs), problem))
}

fn unanswered(error: reqwest::Error) -> Failure {
    let tls = std::iter::successors(std::error::Error::source(&error), |error| error.source())
        .any(|error| error.is::<rustls::Error>());
    let what = if tls { "its certificate is not trusted: " } else { "" };
    let kind = if error.is_connect() { Failure::NoConnection } else { Failure::Unreachable };
    kind(format!("{what}{}", error.without_url()))
}

fn failure(status: StatusCode, wait: Option<Duration>, problem: Option<wire::Problem>) -> Failure {
    match (status.as_u16(), problem) {
        (401, Some(problem)) if problem.code == "revoked" => Failure::Revoked,
        (401, problem) if problem.as_ref().is_none_or(|problem| problem.code != "code_expired") => Failure::NotLetIn,
        (410, problem) if problem.as_ref().is_none_or(|problem| problem.code != "code_expired") => {
            Failure::OtherJournal
        }
        (426, _) => Failure::TooOld,
        (429, _) => Failure::SlowDown(wait),
        (408 | 425 | 500..=599, _) => Failure::Unreachable(format!("it answered {status}")),
        (status, Some(problem)) => Failure::Refused { status, code: problem.code },
        (status, None) => Failure::NotAGateway(format!("it answered {status} without a reason")),
    }
}

async fn read<T: serde::de::DeserializeOwned>(response: Response) -> Result<T, Failure> {
    let bytes = response.bytes().await.map_err(|error| Failure::Unreachable(error.without_url().to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| Failure::NotAGateway(place_of(&error)))
}

fn address_of(text: &str) -> Result<Url, BadAddress> {
    let mut url = Url::parse(text.trim()).map_err(|_| BadAddress("is not an address"))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(BadAddress("must begin with https: passwords would travel in the open")),
        _ => return Err(BadAddress("must begin with https")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadAddress("must not carry a password"));
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_addresses_are_taken() {
        for good in ["https://desk.mew.gov.kw", "http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:8080"] {
            assert!(address_of(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "desk.mew.gov.kw",
            "http://desk.mew.gov.kw",
            "http://127.0.0.1.evil.example",
            "http://10.0.0.1",
            "ftp://127.0.0.1",
            "file:///etc/passwd",
            "https://lead:secret@desk.mew.gov.kw",
        ] {
            assert!(address_of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_before_the_gateway_is_kept() {
        let at = |address: &str| Gateway::at(address).unwrap().url("sync").to_string();
        assert_eq!(at("https://gov.kw/desk/"), "https://gov.kw/desk/api/v1/sync");
        assert_eq!(at("https://gov.kw"), "https://gov.kw/api/v1/sync");
        assert_eq!(Gateway::at("https://gov.kw/ ").unwrap().address(), "https://gov.kw");
    }
}
