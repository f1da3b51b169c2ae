//! The network between a desk and its gateway: it is cut, holds what it was given, and comes back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
};

#[derive(Clone, Copy, PartialEq)]
pub enum Line {
    Whole,
    /// Nothing moves, and nobody is told.
    Stalled,
    /// Every connection breaks, in the middle of whatever it says, and there is no new one.
    Cut,
}

pub struct Cable {
    pub address: String,
    line: watch::Sender<Line>,
    /// Connections that broke.
    pub broken: Arc<AtomicUsize>,
}

impl Cable {
    /// A cable to a gateway.
    pub async fn to(gateway: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (line, broken) = (watch::Sender::new(Line::Whole), Arc::new(AtomicUsize::new(0)));
        let (state, count) = (line.subscribe(), Arc::clone(&broken));
        let gateway = gateway.trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if *state.borrow() == Line::Cut {
                    continue;
                }
                let (gateway, state, count) = (gateway.clone(), state.clone(), Arc::clone(&count));
                tokio::spawn(async move {
                    if let Ok(far) = TcpStream::connect(gateway).await {
                        carry(near, far, state, &count).await;
                    }
                });
            }
        });
        Self { address, line, broken }
    }

    /// Breaks it for a while.
    pub async fn fault(&self, line: Line, lasts: Duration) {
        self.line.send_replace(line);
        tokio::time::sleep(lasts).await;
        self.line.send_replace(Line::Whole);
    }
}

async fn carry(mut near: TcpStream, mut far: TcpStream, mut state: watch::Receiver<Line>, broken: &AtomicUsize) {
    let mut cut = state.clone();
    let ((from_near, to_near), (from_far, to_far)) = (near.split(), far.split());
    tokio::select! {
        _ = cut.wait_for(|line| *line == Line::Cut) => { broken.fetch_add(1, Ordering::Relaxed); }
        () = one_way(from_near, to_far, state.clone()) => {}
        () = one_way(from_far, to_near, { state.mark_unchanged(); state }) => {}
    }
}

/// A few bytes at a time, so that a cut comes in the middle of something.
async fn one_way(mut from: tcp::ReadHalf<'_>, mut to: tcp::WriteHalf<'_>, mut state: watch::Receiver<Line>) {
    let mut bytes = [0; 700];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if state.wait_for(|line| *line != Line::Stalled).await.is_err() || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
