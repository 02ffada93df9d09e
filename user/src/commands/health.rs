//! `user health`: whether services run, as the health check of containers, which have no shell to ask with.

use crate::Error;
use crate::console::{Console, Output, Style};
use crate::services::Context;
use runtime::client::{Client, HostPort};
use runtime::{ports, sanitize};
use serde::Serialize;
use shared::config::Config;
use shared::wire::Info;
use std::net::{Ipv4Addr, SocketAddr};

/// Show which services run: those named, or all of this machine on the ports that they take by themselves. Fails unless
/// all that were named do, or one does where none was
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The services to ask, host:port
    #[arg(value_name = "HOST:PORT")]
    services: Vec<HostPort>,
}

const EXAMPLES: &str = "\
Examples:
  user health                       whatever runs on this machine
  user health tracker-host:8090";

/// A service that answered.
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

/// All that answered.
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

/// Shows it.
///
/// # Errors
/// A service that was named does not answer, or none was named and none is here.
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
                return Err(Error::Request { action: "ask for the health".to_owned(), at, source: Box::new(source) });
            }
        }
    }
    Ok(running)
}

/// A port that nobody has is refused at once; one that answers something else is somebody else's.
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
