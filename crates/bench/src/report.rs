//! The figures, for people and for programs.

use std::{collections::BTreeSet, fmt::Write as _};

use serde::Serialize;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[value(rename_all = "UPPER")]
pub(crate) enum Id {
    /// What comes in, into SQLite.
    P1,
    /// The time to the answer.
    P2,
    /// What comes in, into PostgreSQL.
    P3,
    /// From a citizen to every desk.
    P4,
    /// Every desk comes back at once.
    P5,
    /// A fresh desk catches up.
    P6,
    /// The gateway's memory.
    P7,
    /// Searching what is stored at the desk.
    P8,
    /// Everybody signs in at once.
    P9,
    /// From the window's start to its list.
    D1,
    /// Opening a long conversation.
    D2,
    /// A key and the wheel.
    D3,
    /// The window's memory.
    D4,
    /// The package's size.
    D5,
}

/// What a figure has to reach.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Target {
    /// By what share of the target a value misses it; `None` if it does not.
    fn missed_by(self, value: f64) -> Option<f64> {
        let over = match self {
            Self::AtLeast(least) => (least - value) / least,
            Self::AtMost(most) => (value - most) / most,
        };
        // What could not be measured has not been reached.
        if over <= 0.0 { None } else { Some(over) }
    }
}

/// One figure.
#[derive(Serialize)]
pub(crate) struct Figure {
    id: Id,
    what: String,
    unit: &'static str,
    value: f64,
    target: Option<Target>,
    /// The same on the bare server (or with the bare computation), measured in the same run.
    ceiling: Option<f64>,
    /// The value as a multiple of the ceiling.
    ratio: Option<f64>,
    /// By what share of the target it is missed.
    missed_by: Option<f64>,
}

impl Figure {
    /// A figure without target or ceiling.
    pub(crate) fn new(id: Id, what: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self { id, what: what.into(), unit, value, target: None, ceiling: None, ratio: None, missed_by: None }
    }

    /// What it has to reach.
    pub(crate) fn target(self, target: Target) -> Self {
        Self { missed_by: target.missed_by(self.value), target: Some(target), ..self }
    }

    /// What the machine gave at most.
    pub(crate) fn ceiling(self, ceiling: f64) -> Self {
        Self { ceiling: Some(ceiling), ratio: Some(self.value / ceiling), ..self }
    }
}

/// Everything that one run says.
#[derive(Serialize)]
pub(crate) struct Report {
    /// What is wanted.
    #[serde(skip)]
    pub(crate) wanted: BTreeSet<Id>,
    pub(crate) machine: String,
    pub(crate) quick: bool,
    /// What a reader has to know about how it was measured.
    pub(crate) notes: Vec<String>,
    pub(crate) figures: Vec<Figure>,
}

impl Report {
    /// Whether any of these is wanted.
    pub(crate) fn wants(&self, ids: &[Id]) -> bool {
        ids.iter().any(|id| self.wanted.contains(id))
    }

    /// Adds a figure, if it is wanted.
    pub(crate) fn add(&mut self, figure: Figure) {
        if self.wants(&[figure.id]) {
            self.figures.push(figure);
        }
    }

    /// Adds a note to something that is wanted.
    pub(crate) fn note(&mut self, id: Id, text: &str) {
        if self.wants(&[id]) {
            self.notes.push(format!("{id:?}: {text}"));
        }
    }

    /// As a table.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("{}\n\n", self.machine);
        let number = |value: f64| {
            if value.is_nan() {
                "not measured".to_owned()
            } else if value >= 100.0 {
                format!("{value:.0}")
            } else {
                format!("{value:.2}")
            }
        };
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        text.push_str("| | what | value | target | ceiling | value ÷ ceiling | |\n|---|---|---:|---:|---:|---:|---|\n");
        for figure in &self.figures {
            let target = figure.target.map(|target| match target {
                Target::AtLeast(least) => format!("≥ {}", number(least)),
                Target::AtMost(most) => format!("≤ {}", number(most)),
            });
            let verdict = match (figure.target, figure.missed_by) {
                (None, _) => String::new(),
                (Some(_), None) => "reached".to_owned(),
                (Some(_), Some(by)) if by.is_nan() => "**missed**".to_owned(),
                (Some(_), Some(by)) => format!("**missed by {:.0} %**", by * 100.0),
            };
            let _ = writeln!(
                text,
                "| {:?} | {} | {} {} | {} | {} | {} | {verdict} |",
                figure.id,
                figure.what,
                number(figure.value),
                figure.unit,
                or_dash(target),
                or_dash(figure.ceiling.map(number)),
                or_dash(figure.ratio.map(|ratio| format!("{ratio:.2}"))),
            );
        }
        text.push('\n');
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missed_is_said_with_how_much() {
        assert_eq!(Target::AtLeast(8000.0).missed_by(6000.0), Some(0.25));
        assert_eq!(Target::AtLeast(8000.0).missed_by(8000.0), None);
        assert_eq!(Target::AtMost(50.0).missed_by(75.0), Some(0.5));
        assert_eq!(Target::AtMost(50.0).missed_by(50.0), None);
        assert!(Target::AtMost(50.0).missed_by(f64::NAN).is_some(), "not measured is not reached");
        let figure = Figure::new(Id::P1, "ingest", "/s", 6000.0).target(Target::AtLeast(8000.0)).ceiling(12_000.0);
        let machine = "a machine".to_owned();
        let mut report =
            Report { wanted: BTreeSet::from([Id::P1]), machine, quick: true, notes: vec![], figures: vec![] };
        report.add(figure);
        report.add(Figure::new(Id::P7, "memory, idle", "MiB", 17.0));
        assert_eq!(report.figures.len(), 1, "what is not wanted is not said");
        assert!(report.table().contains("| P1 | ingest | 6000 /s | ≥ 8000 | 12000 | 0.50 | **missed by 25 %** |"));
    }
}
