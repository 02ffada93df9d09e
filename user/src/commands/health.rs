//! `user health`: whether services run and are well. It is also the health check of containers, which have no shell.

use crate::Error;
use crate::as_of::duration;
use crate::console::{Console, Output, Style};
use crate::error::health_text;
use crate::services::Context;
use runtime::client::Client;
use runtime::clock::Clock;
use runtime::{ports, sanitize};
use serde::Serialize;
use shared::config::Config;
use shared::sync::PeerAddress;
use shared::wire::{Health, Info};
use std::net::{Ipv4Addr, SocketAddr};

/// Show which services run and whether they are well: those you name, or all on this machine that use their usual
/// ports. Fails unless all that you name run and are well; without names, unless one runs and all that run are well
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The services to ask, host:port
    #[arg(value_name = "HOST:PORT")]
    services: Vec<PeerAddress>,
    /// Succeed if the services run, even if they are not well
    #[arg(long)]
    running: bool,
}

const EXAMPLES: &str = "\
Examples:
  user health                       all services on this machine
  user health tracker-host:8090
  user health --running             the health check of a container

Exit codes: 0 well, 1 not running, 3 alone (no peer answers it), 4 behind (a better chain is not here yet),
5 cannot store (its disk is full or fails), 6 waits for the clock (its chain is ahead of the clock).";

#[derive(Debug, Serialize)]
struct ServiceHealth {
    service: String,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u64>,
    /// Age of its newest block.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_ms: Option<u64>,
    /// What keeps it from its work; only from services that tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<Vec<Health>>,
}

impl ServiceHealth {
    fn new(at: String, info: Info) -> Self {
        let now = Clock::new(0).time().as_ms();
        let age_ms = info.tip.map(|tip| now.saturating_sub(tip.timestamp.as_ms()));
        Self { service: info.service, at, height: info.tip.map(|tip| tip.index.0), age_ms, health: info.health }
    }

    fn problems(&self) -> impl Iterator<Item = Health> {
        self.health.iter().flatten().copied()
    }
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Services(Vec<ServiceHealth>);

impl Output for Services {
    fn text(&self, style: Style) -> String {
        let line = |running: &ServiceHealth| {
            let service = style.good(sanitize::line(&running.service));
            let mut line = format!("{service} runs at {}", running.at);
            match (running.height, running.age_ms) {
                (Some(0), _) => line += ", at block 0",
                (Some(height), Some(age_ms)) => line += &format!(", at block {height}, {} old", duration(age_ms)),
                _ => {}
            }
            for problem in running.problems() {
                line += &format!("; it {}", health_text(problem));
            }
            line
        };
        self.0.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// # Errors
/// Fails if a named service does not answer, if none is named and none runs on this machine, or if one is not well.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let client = Client::new(None, None).map_err(Error::Client)?;
    let running = if args.services.is_empty() {
        local_services(&client, &context.config).await?
    } else {
        named_services(&client, &args.services).await?
    };
    let problems =
        running.iter().flat_map(|service| service.problems().map(move |problem| (problem, service.at.clone())));
    let worst = problems.max_by_key(|(problem, _)| severity(*problem));
    console.print(&Services(running))?;
    match worst {
        Some((health, at)) if !args.running => Err(Error::NotHealthy { at, health }),
        _ => Ok(()),
    }
}

/// Which of several problems to report: first the one that a person must cure, then those that may pass by themselves.
const fn severity(health: Health) -> u8 {
    match health {
        Health::Alone => 0,
        Health::Behind => 1,
        Health::WaitsForClock => 2,
        Health::CannotStore => 3,
    }
}

async fn named_services(client: &Client, services: &[PeerAddress]) -> Result<Vec<ServiceHealth>, Error> {
    let mut running = Vec::new();
    for at in services.iter().map(ToString::to_string) {
        match client.info(&at).await {
            Ok(answer) => running.push(ServiceHealth::new(at, answer)),
            Err(source) => {
                return Err(Error::Request { action: "check its health".to_owned(), at, source: Box::new(source) });
            }
        }
    }
    Ok(running)
}

/// Asks every usual port. A free port refuses the connection at once; a port that gives no `/info` belongs to another
/// program.
async fn local_services(client: &Client, config: &Config) -> Result<Vec<ServiceHealth>, Error> {
    let first = [config.explorer.port, config.tracker.port, config.mempool.port, config.node.port];
    let ports: std::collections::BTreeSet<u16> =
        first.into_iter().flat_map(|first| first..=first.saturating_add(ports::TRIES - 1)).collect();
    let mut running = Vec::new();
    for port in ports {
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port)).to_string();
        if let Ok(answer) = client.info(&at).await {
            running.push(ServiceHealth::new(at, answer));
        }
    }
    if running.is_empty() { Err(Error::NoLocalService) } else { Ok(running) }
}
