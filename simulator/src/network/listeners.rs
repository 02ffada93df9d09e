//! Binds the ports of a network's services, and opens the data folders of those that keep one.

use crate::options::RunOptions;
use runtime::data_dir::DataDir;
use runtime::ports::{PortRequest, bind, bind_with_data};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as StdListener};
use std::path::Path;

/// How far each kind of service is above the tracker's port, as 8091 and 8100 are above 8090. The explorer's default
/// port, 8080, is below: the offset counts only where `--port` was given.
pub(super) const TRACKER_OFFSET: u16 = 0;
pub(super) const MEMPOOL_OFFSET: u16 = 1;
pub(super) const EXPLORER_OFFSET: u16 = 2;
pub(super) const NODES_OFFSET: u16 = 10;

/// A service that can be reached but does not run yet.
pub(super) struct Listening {
    pub(super) listener: StdListener,
    /// `host:port` for services on this machine.
    pub(super) address: String,
}

/// Binds a service that keeps no data.
pub(super) fn listen(
    options: &RunOptions,
    service: &'static str,
    default: u16,
    offset: u16,
) -> anyhow::Result<Listening> {
    let listener = bind(wanted(options, service, default, offset))?;
    let address = local_address(&listener, &options.config.simulator.host)?;
    Ok(Listening { listener, address })
}

/// Binds a service whose data folder belongs to its port.
pub(super) fn listen_with_data(
    options: &RunOptions,
    folder: &Path,
    service: &'static str,
    default: u16,
    offset: u16,
) -> anyhow::Result<(Listening, DataDir)> {
    let open = |port| DataDir::open(folder, &options.config.network, service, port);
    let (listener, data) = bind_with_data(wanted(options, service, default, offset), open)?;
    let address = local_address(&listener, &options.config.simulator.host)?;
    Ok((Listening { listener, address }, data))
}

/// The first port to try: the service's default, or `--port` plus the offset; with `--port 0` any free one.
fn wanted<'a>(options: &'a RunOptions, service: &'static str, default: u16, offset: u16) -> PortRequest<'a> {
    let first = match options.port {
        None => default,
        Some(port) => port.saturating_add(offset),
    };
    let port = (options.port == Some(0)).then_some(0);
    PortRequest { service, host: &options.config.simulator.host, port, first }
}

/// `host:port` at which services on this machine reach a listener: loopback where it listens on every address.
fn local_address(listener: &StdListener, host: &str) -> anyhow::Result<String> {
    let bound = listener.local_addr()?;
    Ok(match bound {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => format!("{}:{}", Ipv4Addr::LOCALHOST, v4.port()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => format!("[{}]:{}", Ipv6Addr::LOCALHOST, v6.port()),
        _ if host.contains(':') => bound.to_string(),
        _ => format!("{host}:{}", bound.port()),
    })
}
