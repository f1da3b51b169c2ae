//! The stage on which demo and end-to-end tests play: a simulator of WhatsApp, a gateway, an agency with its staff.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::{
    build::{program, root},
    display::Surroundings,
    gateway::{self, Session},
    process::Service,
    say,
};

const AGENCY: &str = "mew";
/// What the telephones call it.
const AGENCY_NAME: &str = "وزارة الكهرباء والماء";
const PHONE_NUMBER_ID: &str = "106540352242922";
const DISPLAY_NUMBER: &str = "+965 2537 1000";
/// Where the demonstration is found if nobody else is there: addresses that one can keep open in the browser.
const USUAL_PORTS: [u16; 2] = [8480, 8481];
const PATIENCE: Duration = Duration::from_secs(30);
/// Everybody's password in a demonstration that only this computer can reach.
const PASSWORD: &str = "qahwa wa tamr kull yawm";
/// Username, name, role.
const STAFF: [(&str, &str, &str); 3] =
    [("lead", "سارة العنزي", "lead"), ("agent1", "ليلى الشمري", "agent"), ("agent2", "يوسف الكندري", "agent")];

/// What stands on the stage: what `--json` prints, and what `state.json` in the folder says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct State {
    /// The folder of all this.
    pub(crate) folder: PathBuf,
    /// The telephone page, where one plays citizens; also the simulator's interface.
    pub(crate) telephones: String,
    /// The gateway.
    pub(crate) gateway: String,
    /// The agency's id.
    pub(crate) agency: String,
    /// The people at the desk; the first is the lead.
    pub(crate) staff: Vec<Person>,
    /// Process ids.
    pub(crate) pids: Pids,
    /// What a window has to be started with, if not with the terminal's own surroundings.
    #[serde(default)]
    pub(crate) surroundings: Surroundings,
}

/// Somebody at the desk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) password: String,
    /// For `--sign-in-from`.
    pub(crate) sign_in: PathBuf,
}

/// Process ids.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pids {
    /// Of the demonstration itself: when it ends, everything ends.
    pub(crate) demo: u32,
    pub(crate) simulator: u32,
    pub(crate) gateway: u32,
}

/// The services that run.
pub(crate) struct Stage {
    pub(crate) state: State,
    simulator: Service,
    gateway: Option<Service>,
}

impl Stage {
    /// Starts simulator and gateway in an empty folder, and makes the agency and its staff.
    pub(crate) fn set(folder: &Path, usual_ports: bool) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("Making {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        let secret = |name: &str| -> Result<PathBuf> {
            let path = folder.join(name);
            write_secret(&path, &random()?)?;
            Ok(path)
        };
        let (app_secret, line_token) = (secret("app-secret")?, secret("line-token")?);
        secret("verify-token")?;

        let [gateway_port, simulator_port] = if usual_ports { USUAL_PORTS } else { [0, 0] };
        let gateway_address = format!("127.0.0.1:{}", free_port(gateway_port)?);
        let url = format!("http://{gateway_address}");
        say!("Starting the simulator of WhatsApp");
        let mut simulator = Service::start(
            "the simulator",
            Command::new(program("shubbak-simulator")?)
                .args(["--listen", &format!("127.0.0.1:{}", free_port(simulator_port)?)])
                .args(["--webhook", &format!("{url}/webhooks/whatsapp")])
                .arg("--app-secret-file")
                .arg(&app_secret)
                .arg("--token-file")
                .arg(&line_token)
                .args(["--phone-number-id", PHONE_NUMBER_ID, "--display-number", DISPLAY_NUMBER])
                .args(["--agency-name", AGENCY_NAME, "--json"])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(log(&folder, "simulator")?),
        )?;
        let said = simulator.first_line().with_context(|| blame(&folder, "simulator"))?;
        let said: serde_json::Value = serde_json::from_str(&said).context("Reading the simulator's address")?;
        let address = said.get("address").and_then(|address| address.as_str());
        let telephones = format!("http://{}", address.context("Reading the simulator's address")?);

        fs::write(folder.join("gateway.toml"), configuration(&gateway_address, &telephones)?)?;
        let code = initialise(&folder)?;
        say!("Starting the gateway");
        let gateway = start_gateway(&folder, &url)?;
        let staff = hire(&folder, &url, &code)?;
        let pids = Pids { demo: std::process::id(), simulator: simulator.pid(), gateway: gateway.pid() };
        let state = State {
            telephones,
            gateway: url,
            agency: AGENCY.to_owned(),
            staff,
            pids,
            surroundings: Surroundings::default(),
            folder,
        };
        Ok(Self { state, simulator, gateway: Some(gateway) })
    }

    /// Writes `state.json`, by which a second terminal finds the stage.
    pub(crate) fn announce(&self) -> Result<()> {
        write_secret(&self.state.folder.join("state.json"), &serde_json::to_string_pretty(&self.state)?)
    }

    /// Fails if a service ended by itself.
    pub(crate) fn must_stand(&mut self) -> Result<()> {
        self.simulator.must_run().with_context(|| blame(&self.state.folder, "simulator"))?;
        match &mut self.gateway {
            Some(gateway) => gateway.must_run().with_context(|| blame(&self.state.folder, "gateway")),
            None => Ok(()),
        }
    }

    /// Stops the gateway in order.
    pub(crate) fn stop_gateway(&mut self) {
        self.gateway = None;
    }

    /// Ends the gateway as a power cut would.
    pub(crate) fn kill_gateway(&mut self) -> Result<()> {
        self.gateway.take().map_or(Ok(()), Service::kill)
    }

    /// Starts the gateway again where it was.
    pub(crate) fn start_gateway(&mut self) -> Result<()> {
        if self.gateway.is_none() {
            let gateway = start_gateway(&self.state.folder, &self.state.gateway)?;
            self.state.pids.gateway = gateway.pid();
            self.gateway = Some(gateway);
            self.announce()?;
        }
        Ok(())
    }
}

impl State {
    /// What stands in a folder, if anything does.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let text = fs::read_to_string(folder.join("state.json"))
            .context("No demonstration runs: start `cargo xtask demo` first")?;
        let state: Self = serde_json::from_str(&text).context("Reading state.json")?;
        if !gateway::is_ready(&state.gateway) {
            bail!("The demonstration in {} has ended: start `cargo xtask demo` again", folder.display());
        }
        Ok(state)
    }

    /// Somebody at the desk by username.
    pub(crate) fn person(&self, username: &str) -> Result<&Person> {
        self.staff.iter().find(|person| person.username == username).with_context(|| {
            let known: Vec<&str> = self.staff.iter().map(|person| person.username.as_str()).collect();
            format!("Nobody at the desk is called {username}; there are {}", known.join(", "))
        })
    }
}

/// Where a service of this folder writes its log.
pub(crate) fn log(folder: &Path, name: &str) -> Result<Stdio> {
    let path = folder.join(format!("{name}.log"));
    let file = fs::File::options().create(true).append(true).open(&path);
    Ok(file.with_context(|| format!("Opening {}", path.display()))?.into())
}

/// Points at a log, with its last lines.
pub(crate) fn blame(folder: &Path, name: &str) -> String {
    let path = folder.join(format!("{name}.log"));
    let log = fs::read_to_string(&path).unwrap_or_default();
    let last: Vec<&str> = log.lines().rev().take(5).collect();
    let last: String = last.iter().rev().map(|line| format!("\n    {line}")).collect();
    format!("The {name} does not work; its log is {}, and ends with:{last}\n ", path.display())
}

/// A file that others on this computer cannot read.
pub(crate) fn write_secret(path: &Path, text: &str) -> Result<()> {
    let mut options = fs::File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("Opening {}", path.display()))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).with_context(|| format!("Writing {}", path.display()))
}

fn random() -> Result<String> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).context("Making a secret")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The port that is wished for, or another one if it is taken.
fn free_port(wish: u16) -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", wish)).or_else(|_| TcpListener::bind(("127.0.0.1", 0)));
    Ok(listener.and_then(|listener| listener.local_addr()).context("Finding a free port")?.port())
}

fn configuration(listen: &str, graph_url: &str) -> Result<String> {
    let pack =
        root().join("packs").join(format!("{AGENCY}.toml")).canonicalize().context("Finding the agency's pack")?;
    let pack = toml_text(&pack)?;
    Ok(format!(
        r#"[server]
listen = "{listen}"

[storage]
journal = "sqlite:journal"
media = "file:media"
records = "records"

[whatsapp]
graph_url = "{graph_url}"
app_secret_file = "app-secret"
verify_token_file = "verify-token"

[[agency]]
id = "{AGENCY}"
pack = {pack}

[[agency.line]]
phone_number_id = "{PHONE_NUMBER_ID}"
waba_id = "102290129340398"
display_number = "{DISPLAY_NUMBER}"
token_file = "line-token"
"#
    ))
}

/// JSON's way of quoting is TOML's, for what stands in a path.
fn toml_text(path: &Path) -> Result<String> {
    Ok(serde_json::to_string(path.to_str().context("Writing a path that is no text")?)?)
}

/// Creates the storage; gives the admin's one-time code.
fn initialise(folder: &Path) -> Result<String> {
    let output = Command::new(program("shubbak-gateway")?)
        .args(["init", "--config", "gateway.toml", "--json"])
        .current_dir(folder)
        .stderr(log(folder, "gateway")?)
        .output()
        .context("Starting `shubbak-gateway init`")?;
    if !output.status.success() {
        bail!("{}", blame(folder, "gateway"));
    }
    let said: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("Reading what `shubbak-gateway init` says")?;
    let code = said.pointer("/admins/0/code").and_then(|code| code.as_str());
    Ok(code.context("Finding the admin's one-time code")?.to_owned())
}

fn start_gateway(folder: &Path, url: &str) -> Result<Service> {
    let mut service = Service::start(
        "the gateway",
        Command::new(program("shubbak-gateway")?)
            .args(["serve", "--config", "gateway.toml"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log(folder, "gateway")?)
            .stderr(log(folder, "gateway")?),
    )?;
    let until = Instant::now() + PATIENCE;
    while !gateway::is_ready(url) {
        service.must_run().with_context(|| blame(folder, "gateway"))?;
        if Instant::now() > until {
            bail!("{}", blame(folder, "gateway"));
        }
        thread::sleep(Duration::from_millis(30));
    }
    Ok(service)
}

/// Makes the accounts, each with its password set.
fn hire(folder: &Path, url: &str, code: &str) -> Result<Vec<Person>> {
    let admin = Session::first(url, AGENCY, "admin", PASSWORD, code)?;
    let desks = folder.join("staff");
    fs::create_dir_all(&desks)?;
    let mut staff = Vec::new();
    for (username, name, role) in STAFF {
        let code = admin.add_staff(username, name, role)?;
        Session::first(url, AGENCY, username, PASSWORD, &code)?.end()?;
        let sign_in = desks.join(format!("{username}.toml"));
        write_secret(
            &sign_in,
            &format!(
                "gateway = \"{url}\"\nagency = \"{AGENCY}\"\nusername = \"{username}\"\npassword = \"{PASSWORD}\"\n"
            ),
        )?;
        let [username, name, role, password] = [username, name, role, PASSWORD].map(str::to_owned);
        staff.push(Person { username, name, role, password, sign_in });
    }
    admin.end()?;
    Ok(staff)
}
