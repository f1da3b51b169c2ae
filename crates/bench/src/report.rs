//! The figures, for people and for programs.

use std::fmt::Write as _;

use serde::Serialize;

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
    id: &'static str,
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
    pub(crate) fn new(id: &'static str, what: impl Into<String>, unit: &'static str, value: f64) -> Self {
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
    pub(crate) machine: String,
    pub(crate) quick: bool,
    /// What a reader has to know about how it was measured.
    pub(crate) notes: Vec<String>,
    pub(crate) figures: Vec<Figure>,
}

impl Report {
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
                "| {} | {} | {} {} | {} | {} | {} | {verdict} |",
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
        let figure = Figure::new("P1", "ingest", "/s", 6000.0).target(Target::AtLeast(8000.0)).ceiling(12_000.0);
        let report = Report { machine: "a machine".to_owned(), quick: true, notes: vec![], figures: vec![figure] };
        assert!(report.table().contains("| P1 | ingest | 6000 /s | ≥ 8000 | 12000 | 0.50 | **missed by 25 %** |"));
    }
}
