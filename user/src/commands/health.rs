//! `user health`: whether services run. It is also the health check of containers, which have no shell.

use crate::Error;
use crate::console::{Console, Output, Style};
use crate::services::Context;
use runtime::client::{Client, HostPort};
use runtime::{ports, sanitize};
use serde::Serialize;
use shared::config::Config;
use shared::wire::Info;
use std::net::{Ipv4Addr, SocketAddr};

/// Show which services run: those you name, or all on this machine that use their usual ports. Fails unless all that
/// you name run; without names, unless at least one runs
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The services to ask, host:port
    #[arg(value_name = "HOST:PORT")]
    services: Vec<HostPort>,
}

const EXAMPLES: &str = "\
Examples:
  user health                       all services on this machine
  user health tracker-host:8090";

#[derive(Debug, Serialize)]
struct ServiceHealth {
    service: String,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u64>,
}

impl ServiceHealth {
    fn new(at: String, info: Info) -> Self {
        Self { service: info.service, at, height: info.tip.map(|tip| tip.index.0) }
    }
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Health(Vec<ServiceHealth>);

impl Output for Health {
    fn text(&self, style: Style) -> String {
        let line = |running: &ServiceHealth| {
            let service = style.good(sanitize::line(&running.service));
            let height = running.height.map(|height| format!(", at block {height}")).unwrap_or_default();
            format!("{service} runs at {}{height}", running.at)
        };
        self.0.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// # Errors
/// Fails if a named service does not answer, or if none is named and none runs on this machine.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let client = Client::new(None, None).map_err(Error::Client)?;
    let running = if args.services.is_empty() {
        local_services(&client, &context.config).await?
    } else {
        named_services(&client, &args.services).await?
    };
    console.print(&Health(running))
}

async fn named_services(client: &Client, services: &[HostPort]) -> Result<Vec<ServiceHealth>, Error> {
    let mut running = Vec::new();
    for at in services.iter().map(ToString::to_string) {
        match client.info(&at).await {
            Ok(info) => running.push(ServiceHealth::new(at, info)),
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
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if let Ok(info) = client.info_at(at).await {
            running.push(ServiceHealth::new(at.to_string(), info));
        }
    }
    if running.is_empty() { Err(Error::NoLocalService) } else { Ok(running) }
}
