//! The sender of an agency: takes queued messages in order, one in flight for each conversation, and POSTs each once.
//!
//! `queued → sending` is decided under the head lock like everything else; only whoever wrote that entry may POST, ever.
//! So a crash at any point is safe: what was being sent is *uncertain* once somebody takes the line over, and only a
//! status with our message id, or a person, settles it. An uncertain message holds its conversation's later replies back
//! for a minute. Nothing here touches inbound.
//!
//! Of several processes one sends on a line: whoever has its lease. Nothing rests on that but the pace and the order. Only
//! where a person has an abandoned message sent once more could a process that slept in between do harm, if it woke up and
//! POSTed after all: so the lease is looked at immediately before the POST, and an outcome names the entry that permitted
//! it, so that it cannot be taken for that of another POST.
//!
//! What goes out is paced before Meta has to refuse it: by pair (one citizen on one line, which is a conversation) and by
//! line. The pace lives in memory; after a restart a burst may meet Meta's own limit, and waits as its code says.

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{
    command::{SendOutcome, SystemAsk},
    ids::{CaseId, Clock, ConversationId, LineId, MessageId, Millis, Seq},
};
use records::outgoing::Outgoing;
use tokio::{sync::watch, task::JoinSet};
use whatsapp::client::{Again, Client, SendFailure};

use crate::{
    agency::{Agency, Outlets},
    config::Line,
    failure::Failure,
    gateway::stopped,
    leases::{self, Grant, Leases},
    pace::{Pace, Rate},
    signs,
};

/// For so long an uncertain message holds the later ones back.
const PATIENCE: Millis = 60_000;
/// Looked at without being woken: an uncertain message's time passes quietly.
const LOOK: Duration = Duration::from_secs(5);
const AT_ONCE: usize = 64;
const PAGE: u32 = 1000;
/// So long after its end a pause counts towards the next one.
const FORGET: Millis = 3_600_000;
const LONGEST_PAUSE: Millis = 600_000;
/// So often the outcome of a POST is written down before that is given up.
const TRIES_TO_RECORD: u32 = 8;

/// Sends an agency's messages.
pub struct Sender {
    agency: Arc<Agency>,
    outlets: Outlets,
    leases: Arc<Leases>,
    lines: HashMap<LineId, (Client, Rate)>,
    /// The lines on which this process sends, once what others left under way on them is settled.
    taken: HashMap<LineId, Grant>,
    /// What was never POSTed though the entry that permits it may be there, and under which grant.
    unsent: HashMap<MessageId, Grant>,
    /// Meta: one message in six seconds to one person, of which 45 may come at once.
    pair_rate: Rate,
    pair_pace: Pace<ConversationId>,
    line_pace: Pace<LineId>,
    /// When the first of those that wait for their pace may go.
    next: Option<Millis>,
    clock: Arc<dyn Clock>,
    /// Conversations with a message that is having its turn.
    busy: HashMap<ConversationId, MessageId>,
    slow_pairs: HashMap<ConversationId, Pause>,
    slow_lines: HashMap<LineId, Pause>,
    marked: HashMap<CaseId, String>,
}

/// A growing pause.
#[derive(Debug, Clone, Copy, Default)]
struct Pause {
    tries: u32,
    until: Millis,
}

impl Pause {
    fn grow(&mut self, now: Millis, first: Millis, factor: u32, longest: Millis) {
        let grown = i64::from(factor).checked_pow(self.tries).and_then(|times| first.checked_mul(times));
        self.until = now + grown.map_or(longest, |grown| grown.min(longest));
        self.tries = self.tries.saturating_add(1);
    }

    /// Whether it lasts. One that would last longer than any was begun before the clock was set back.
    fn rests(&self, now: Millis) -> bool {
        (1..=LONGEST_PAUSE).contains(&(self.until - now))
    }
}

/// What came of one message's turn.
struct Turn {
    message: MessageId,
    conversation: ConversationId,
    line: LineId,
    grant: Grant,
    came: Came,
}

enum Came {
    /// It is settled, one way or another.
    Settled,
    /// It was not this sender's turn.
    NotTaken,
    /// The journal could not be written, so what it says of this message is not known.
    Unwritten {
        /// Whether it was POSTed.
        posted: bool,
    },
    Again(Again),
    Stop,
}

impl Sender {
    /// A sender for these lines.
    pub fn new(
        agency: Arc<Agency>,
        outlets: Outlets,
        lines: &[Line],
        leases: Arc<Leases>,
        http: &reqwest::Client,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let client = |line: &Line| {
            let token = line.token.expose();
            let client = Client::new(http.clone(), &line.graph_url, &line.graph_version, &line.phone_number_id, token);
            (client, Rate::new(line.messages_per_second, 1000, line.messages_per_second.div_ceil(10)))
        };
        Self {
            agency,
            outlets,
            leases,
            taken: HashMap::new(),
            unsent: HashMap::new(),
            lines: lines.iter().map(|line| (line.phone_number_id.clone(), client(line))).collect(),
            pair_rate: Rate::new(1, 6000, 45),
            pair_pace: Pace::default(),
            line_pace: Pace::default(),
            next: None,
            clock,
            busy: HashMap::new(),
            slow_pairs: HashMap::new(),
            slow_lines: HashMap::new(),
            marked: HashMap::new(),
        }
    }

    /// Runs until the gateway stops; then what is under way is brought to its end.
    pub async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        let agency = Arc::clone(&self.agency);
        let mut turns: JoinSet<Turn> = JoinSet::new();
        let mut leases = self.leases.changed();
        loop {
            if let Err(failure) = self.begin(&mut turns).await {
                tracing::warn!(agency = agency.id, status = %failure.status(), "Looking for what waits to be sent failed");
            }
            let rest = self.until_next();
            tokio::select! {
                () = stopped(&mut stopping) => break,
                () = agency.wake.notified() => {}
                Ok(()) = leases.changed() => {}
                Some(turn) = turns.join_next() => match turn {
                    Ok(turn) => self.end(turn),
                    Err(error) => tracing::error!(%error, agency = agency.id, "A turn of the sender broke off"),
                },
                Some(case) = self.outlets.read.recv() => self.mark_read(case).await,
                () = tokio::time::sleep(rest) => {}
            }
        }
        while turns.join_next().await.is_some() {}
    }

    /// Takes over the lines that this process has leased since.
    async fn take_over(&mut self) -> Result<(), Failure> {
        let lines: Vec<LineId> = self.lines.keys().cloned().collect();
        for line in lines {
            let grant = self.leases.grant(&leases::of_line(&line));
            if grant.is_some() && grant.as_ref() == self.taken.get(&line) {
                continue;
            }
            self.taken.remove(&line);
            if let Some(grant) = grant {
                self.settle_under_way(&line, &grant).await?;
                self.taken.insert(line, grant);
            }
        }
        Ok(())
    }

    /// Whoever was sending on a line is gone, and with it the knowledge whether it arrived. What is on a line that is no
    /// longer configured is nobody else's either.
    async fn settle_under_way(&mut self, line: &LineId, grant: &Grant) -> Result<(), Failure> {
        self.agency.look().await?;
        let left = self.agency.read(|reader| Ok(reader.records.under_way()?)).await?;
        // What was begun on this line was begun by this process alone, if the lease held until it was read.
        let held = self.leases.holds(grant);
        for one in left.into_iter().filter(|one| one.line == *line || !self.lines.contains_key(&one.line)) {
            if self.busy.values().any(|busy| *busy == one.message) {
                continue;
            }
            let ask = if held && self.unsent.get(&one.message) == Some(grant) {
                SystemAsk::EndSending { message: one.message, begun: one.begun, outcome: SendOutcome::NotSent }
            } else {
                SystemAsk::Abandon { message: one.message }
            };
            // A refusal says that it is settled.
            let _ = self.agency.system(ask).await?;
        }
        self.unsent.retain(|_, under| under != grant);
        Ok(())
    }

    async fn begin(&mut self, turns: &mut JoinSet<Turn>) -> Result<(), Failure> {
        self.next = None;
        if turns.len() >= AT_ONCE {
            return Ok(());
        }
        let now = self.clock.now();
        if self.agency.sending_held().await?.is_some() {
            return Ok(());
        }
        self.take_over().await?;
        if self.taken.is_empty() {
            return Ok(());
        }
        let waiting = self.agency.read(move |reader| Ok(reader.records.outgoing(now, PATIENCE, PAGE)?)).await?;
        for outgoing in waiting {
            if turns.len() >= AT_ONCE {
                break;
            }
            let rests = |pause: Option<&Pause>| pause.is_some_and(|pause| pause.rests(now));
            if self.busy.contains_key(&outgoing.conversation)
                || rests(self.slow_pairs.get(&outgoing.conversation))
                || rests(self.slow_lines.get(&outgoing.line))
            {
                continue;
            }
            // A line that is no longer configured, or that is another process's: its messages wait for it.
            let (Some((client, line_rate)), Some(grant)) =
                (self.lines.get(&outgoing.line), self.taken.get(&outgoing.line))
            else {
                continue;
            };
            let wait = self.pair_pace.wait(&outgoing.conversation, self.pair_rate, now).max(self.line_pace.wait(
                &outgoing.line,
                *line_rate,
                now,
            ));
            if wait > 0 {
                self.next = Some(self.next.map_or(now + wait, |next| next.min(now + wait)));
                continue;
            }
            self.pair_pace.take(outgoing.conversation, self.pair_rate, now);
            self.line_pace.take(outgoing.line.clone(), *line_rate, now);
            self.busy.insert(outgoing.conversation, outgoing.message);
            let permit = Permit { leases: Arc::clone(&self.leases), grant: grant.clone() };
            turns.spawn(turn(Arc::clone(&self.agency), client.clone(), permit, outgoing));
        }
        Ok(())
    }

    fn end(&mut self, turn: Turn) {
        let now = self.clock.now();
        let Turn { message, conversation, line, grant, came } = turn;
        self.busy.remove(&conversation);
        match came {
            Came::Settled => self.agency.stopped_lines.note(&line, false),
            Came::Stop => self.agency.stopped_lines.note(&line, true),
            Came::NotTaken | Came::Unwritten { .. } | Came::Again(_) => {}
        }
        self.slow_pairs.retain(|_, pause| pause.until + FORGET > now);
        match came {
            Came::Settled => {
                self.slow_pairs.remove(&conversation);
                self.slow_lines.remove(&line);
            }
            Came::Unwritten { posted } => {
                if !posted {
                    self.unsent.insert(message, grant);
                }
                // Taking it over anew settles what is under way.
                self.taken.remove(&line);
                self.slow_pairs.entry(conversation).or_default().grow(now, 200, 2, 30_000);
            }
            Came::NotTaken => self.slow_pairs.entry(conversation).or_default().grow(now, 200, 2, 30_000),
            // Meta: 4^X s for the X-th failure; others go on.
            Came::Again(Again::PairRate) => {
                self.slow_pairs.entry(conversation).or_default().grow(now, 1000, 4, 300_000)
            }
            Came::Again(Again::Connection) => self.slow_lines.entry(line).or_default().grow(now, 500, 2, 60_000),
            Came::Again(Again::Rate) => self.slow_lines.entry(line).or_default().grow(now, 2000, 2, 120_000),
            Came::Again(Again::Maintenance) => self.slow_lines.entry(line).or_default().grow(now, 20_000, 2, 60_000),
            Came::Stop => self.slow_lines.entry(line).or_default().grow(now, 10_000, 2, LONGEST_PAUSE),
        }
    }

    fn until_next(&self) -> Duration {
        let now = self.clock.now();
        let pauses = self.slow_pairs.values().chain(self.slow_lines.values()).map(|pause| pause.until);
        let next = pauses.chain(self.next).map(|until| until - now).filter(|left| *left > 0).min();
        next.and_then(|left| u64::try_from(left).ok()).map_or(LOOK, |left| Duration::from_millis(left + 1).min(LOOK))
    }

    /// Tells the citizen that the case's owner has read what they wrote.
    async fn mark_read(&mut self, case: CaseId) {
        let Ok(Some((line, wamid))) = self.agency.read(move |reader| Ok(reader.records.last_inbound(case)?)).await
        else {
            return;
        };
        let Some((client, _)) = self.lines.get(&line).cloned() else { return };
        if self.marked.get(&case) == Some(&wamid) {
            return;
        }
        if self.marked.len() > 10_000 {
            self.marked.clear();
        }
        self.marked.insert(case, wamid.clone());
        // A courtesy: nothing depends on it, so it is tried once and beside everything else.
        tokio::spawn(async move {
            if let Err(failure) = client.mark_read(&wamid).await {
                tracing::debug!(code = failure.error().code, "Marking a message as read failed");
            }
        });
    }
}

/// What a turn goes by.
struct Permit {
    leases: Arc<Leases>,
    grant: Grant,
}

/// One message's turn: the entry that permits the POST, the POST, the entry with the outcome.
async fn turn(agency: Arc<Agency>, client: Client, permit: Permit, outgoing: Outgoing) -> Turn {
    let Permit { leases, grant } = permit;
    let Outgoing { message, conversation, line, recipient, text, .. } = outgoing;
    let ended = |came| Turn { message, conversation, line: line.clone(), grant: grant.clone(), came };
    if !leases.holds(&grant) {
        return ended(Came::NotTaken);
    }
    let begun = match agency.system(SystemAsk::BeginSending { message }).await {
        Ok(Ok(entries)) => entries.last().copied().unwrap_or_default(),
        Ok(Err(_)) => return ended(Came::NotTaken),
        // Whether the entry holds is not known; that nothing was sent is.
        Err(_) => return ended(Came::Unwritten { posted: false }),
    };
    // Nothing may stand between this and the POST.
    if !leases.holds(&grant) {
        let came = record(&agency, message, begun, SendOutcome::NotSent).await;
        return ended(if came { Came::NotTaken } else { Came::Unwritten { posted: false } });
    }
    let (outcome, came) = match client.send_text(&recipient, &text, None, &message.to_string()).await {
        Ok(accepted) => {
            signs::sent(&agency.id, &line, "accepted");
            (SendOutcome::Accepted { wamid: accepted.wamid }, Came::Settled)
        }
        Err(failure) => {
            let error = failure.error();
            signs::sent(&agency.id, &line, class(&failure));
            tracing::warn!(
                agency = agency.id,
                message = %message,
                code = error.code,
                trace = error.trace,
                class = class(&failure),
                "A message was not accepted"
            );
            match failure {
                SendFailure::NotSent(again, _) => (SendOutcome::NotSent, Came::Again(again)),
                SendFailure::Stop(_) => (SendOutcome::NotSent, Came::Stop),
                SendFailure::Refused(error) => (SendOutcome::Refused(error.into()), Came::Settled),
                SendFailure::Ambiguous(error) => (SendOutcome::Ambiguous(error.into()), Came::Settled),
            }
        }
    };
    let posted = !matches!(outcome, SendOutcome::NotSent);
    let written = record(&agency, message, begun, outcome).await;
    ended(if written { came } else { Came::Unwritten { posted } })
}

fn class(failure: &SendFailure) -> &'static str {
    match failure {
        SendFailure::NotSent(..) => "not_sent",
        SendFailure::Refused(_) => "refused",
        SendFailure::Stop(_) => "stop",
        SendFailure::Ambiguous(_) => "ambiguous",
    }
}

/// Writes an outcome down, trying for a while; whether it could.
async fn record(agency: &Agency, message: MessageId, begun: Seq, outcome: SendOutcome) -> bool {
    let ask = SystemAsk::EndSending { message, begun, outcome };
    for attempt in 0..TRIES_TO_RECORD {
        if agency.system(ask.clone()).await.is_ok() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
    }
    tracing::error!(agency = agency.id, "The outcome of a POST could not be written down");
    false
}
