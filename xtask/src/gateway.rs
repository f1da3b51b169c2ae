//! The little of the gateway's contract that preparing a demonstration needs.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

/// Signed in at a gateway.
pub(crate) struct Session {
    gateway: String,
    token: String,
    /// The slugs of one's own teams.
    pub(crate) teams: Vec<Value>,
}

impl Session {
    /// Sets a password with a one-time code, and signs in with it.
    pub(crate) fn first(gateway: &str, agency: &str, username: &str, password: &str, code: &str) -> Result<Self> {
        let request =
            json!({"agency": agency, "username": username, "password": password, "device": "xtask", "code": code});
        let answer = ask(ureq::post(format!("{gateway}/api/v1/session")), Some(&request))
            .with_context(|| format!("Setting the password of {username}"))?;
        Ok(Self {
            gateway: gateway.to_owned(),
            token: text(&answer, "/token")?,
            teams: answer.pointer("/staff/teams").and_then(Value::as_array).context("Reading the teams")?.clone(),
        })
    }

    /// Makes an account, and gives its one-time code.
    pub(crate) fn add_staff(&self, username: &str, name: &str, role: &str) -> Result<String> {
        #[expect(clippy::disallowed_methods, reason = "the edge of a program, where ids begin")]
        let id = uuid::Uuid::now_v7();
        let command = json!([{
            "id": id, "kind": "add_staff", "username": username, "name": name, "roles": [role], "teams": self.teams,
        }]);
        let request = ureq::post(format!("{}/api/v1/commands", self.gateway));
        let outcome = ask(request.header("Authorization", format!("Bearer {}", self.token)), Some(&command))?;
        match outcome.pointer("/0/refused") {
            Some(refused) => bail!("Making the account {username} was refused: {refused}"),
            None => text(&outcome, "/0/code").with_context(|| format!("Reading the one-time code of {username}")),
        }
    }

    /// Signs out, so that no device of ours stays behind.
    pub(crate) fn end(self) -> Result<()> {
        let request = ureq::delete(format!("{}/api/v1/session", self.gateway))
            .header("Authorization", format!("Bearer {}", self.token));
        ask(request.force_send_body(), None).map(drop).context("Signing out")
    }
}

/// Whether a gateway answers there, and is ready.
pub(crate) fn is_ready(gateway: &str) -> bool {
    agent().get(format!("{gateway}/readyz")).call().is_ok_and(|answer| answer.status().is_success())
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .into()
}

fn ask(request: ureq::RequestBuilder<ureq::typestate::WithBody>, body: Option<&Value>) -> Result<Value> {
    let request = request.config().http_status_as_error(false).timeout_global(Some(Duration::from_secs(20))).build();
    let mut answer = match body {
        Some(body) => request.send_json(body),
        None => request.send_empty(),
    }
    .context("Asking the gateway")?;
    let said = answer.body_mut().read_to_string().context("Reading the gateway's answer")?;
    if !answer.status().is_success() {
        bail!("The gateway answered {}: {said}", answer.status());
    }
    if said.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&said).context("Reading the gateway's answer")
}

fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("Finding {pointer} in the gateway's answer"))
}
