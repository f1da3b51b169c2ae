//! A stand-in for Meta's Graph API, which does as it is told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

/// What becomes of the next message.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    Accept,
    /// Meta's error code.
    Refuse(i64),
    /// The same, with everything that was POSTed in the words.
    Echo(i64),
    /// Takes it, and answers with something else that has everything in it.
    Babble,
    /// Takes it, and breaks the connection instead of answering.
    Swallow,
    /// Breaks the connection, and has not taken it.
    Lose,
    /// Answers 500, and has taken it or not.
    Break {
        taken: bool,
    },
    /// Takes it, and never answers.
    Hang,
    /// Answers after a while.
    Slow(Duration),
}

#[derive(Clone, Default)]
pub(crate) struct Graph {
    pub(crate) address: String,
    state: Arc<Mutex<Inside>>,
}

#[derive(Default)]
struct Inside {
    posts: Vec<Value>,
    fates: VecDeque<Fate>,
    /// Chooses where no fate was told.
    choose: Option<Box<dyn FnMut() -> Fate + Send>>,
    posted: Vec<Posted>,
    under_way: Vec<String>,
    overlaps: usize,
    wamids: usize,
}

impl Fate {
    /// Whether the message goes on its way.
    pub(crate) fn takes(self) -> bool {
        matches!(self, Self::Accept | Self::Swallow | Self::Slow(_) | Self::Hang | Self::Break { taken: true })
    }

    /// Whether whoever sent it may send it again.
    pub(crate) fn may_be_repeated(self) -> bool {
        matches!(self, Self::Refuse(4 | 80_007 | 130_429 | 131_056))
    }
}

/// One POST of a message.
#[derive(Clone)]
pub(crate) struct Posted {
    /// Our own id of it.
    pub(crate) message: String,
    pub(crate) wamid: String,
    pub(crate) fate: Fate,
}

impl Graph {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let graph = Self { address: format!("http://{}", listener.local_addr().unwrap()), state: Arc::default() };
        let router = Router::new().route("/{version}/{line}/messages", post(receive)).with_state(graph.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        graph
    }

    pub(crate) fn next(&self, fates: &[Fate]) {
        self.state.lock().unwrap().fates.extend(fates);
    }

    /// What becomes of messages from now on.
    pub(crate) fn choose(&self, choose: impl FnMut() -> Fate + Send + 'static) {
        self.state.lock().unwrap().choose = Some(Box::new(choose));
    }

    /// Every message that was POSTed, after the first so many.
    pub(crate) fn posted(&self, after: usize) -> Vec<Posted> {
        self.state.lock().unwrap().posted.get(after..).unwrap_or_default().to_vec()
    }

    /// Everything that was POSTed.
    pub(crate) fn posts(&self) -> Vec<Value> {
        self.state.lock().unwrap().posts.clone()
    }

    /// Texts in the order in which they came.
    pub(crate) fn texts(&self) -> Vec<String> {
        let texts = self.posts().into_iter().filter_map(|post| post["text"]["body"].as_str().map(str::to_owned));
        texts.collect()
    }

    /// How often two messages to one person were under way at once.
    pub(crate) fn overlaps(&self) -> usize {
        self.state.lock().unwrap().overlaps
    }
}

async fn receive(State(graph): State<Graph>, Json(body): Json<Value>) -> Response {
    let to = body["to"].to_string();
    let (fate, wamid) = {
        let mut inside = graph.state.lock().unwrap();
        inside.posts.push(body.clone());
        if body["status"] == "read" {
            return Json(json!({"success": true})).into_response();
        }
        if inside.under_way.contains(&to) {
            inside.overlaps += 1;
        }
        inside.under_way.push(to.clone());
        inside.wamids += 1;
        let told = inside.fates.pop_front();
        let fate = told.or_else(|| inside.choose.as_mut().map(|choose| choose())).unwrap_or(Fate::Accept);
        let wamid = format!("wamid.out.{}", inside.wamids);
        let message = body["biz_opaque_callback_data"].as_str().unwrap_or_default().to_owned();
        inside.posted.push(Posted { message, wamid: wamid.clone(), fate });
        (fate, wamid)
    };
    match fate {
        Fate::Slow(time) => tokio::time::sleep(time).await,
        Fate::Hang => {
            // Whoever waits gives up one day and goes on; this here ends with the connection.
            graph.state.lock().unwrap().under_way.retain(|other| *other != to);
            tokio::time::sleep(Duration::from_secs(600)).await;
        }
        Fate::Accept
        | Fate::Refuse(_)
        | Fate::Echo(_)
        | Fate::Babble
        | Fate::Swallow
        | Fate::Lose
        | Fate::Break { .. } => {}
    }
    graph.state.lock().unwrap().under_way.retain(|other| *other != to);
    match fate {
        Fate::Swallow | Fate::Lose | Fate::Hang => {
            let broken = futures_util::stream::iter([Err::<Vec<u8>, _>(std::io::Error::other("It breaks here"))]);
            Body::from_stream(broken).into_response()
        }
        Fate::Break { .. } => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Fate::Refuse(code) => {
            let error = json!({"error": {"code": code, "message": "No", "error_data": {"details": "As told"}}});
            (StatusCode::BAD_REQUEST, Json(error)).into_response()
        }
        Fate::Echo(code) => {
            let said = body.to_string();
            let error = json!({"error": {"code": code, "message": said, "error_user_msg": said,
                "error_data": {"details": said}, "fbtrace_id": "Az8oYNvFtN"}});
            (StatusCode::BAD_REQUEST, Json(error)).into_response()
        }
        Fate::Babble => format!("<html>{body}</html>").into_response(),
        Fate::Accept | Fate::Slow(_) => {
            let answer = json!({"messaging_product": "whatsapp", "contacts": [{"input": to, "wa_id": to}],
                "messages": [{"id": wamid}]});
            Json(answer).into_response()
        }
    }
}
