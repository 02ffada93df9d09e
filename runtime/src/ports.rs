//! Finds the port of a service: the one that was named, or the first free one from its default up.
//!
//! A port is free if it can be bound and the service's data folder for it can be locked. Both are kept from then on, so
//! that no other process can take them between a check and the use.

use crate::data_dir::{DataDir, DataDirError};
use std::io::{self, ErrorKind};
use std::net::TcpListener;

/// Ports that are tried, from the default up.
pub const TRIES: u16 = 100;

/// The port that a service asks for.
#[derive(Debug, Clone, Copy)]
pub struct PortRequest<'a> {
    /// The kind of service, for errors: `tracker`, `node`.
    pub service: &'static str,
    /// Name or address to listen on.
    pub host: &'a str,
    /// The only acceptable port; 0 lets the operating system choose. `None` tries from `first` up.
    pub port: Option<u16>,
    /// The first port to try if `port` is `None`.
    pub first: u16,
}

/// Why no port could be had.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// The named port is in use.
    #[error(
        "port {port} is in use; {}stop the other {service}",
        .free.map(|port| format!("try --port {port} or ")).unwrap_or_default()
    )]
    InUse {
        /// The kind of service.
        service: &'static str,
        /// The port.
        port: u16,
        /// A port that was free a moment ago.
        free: Option<u16>,
    },
    /// Every port that was tried is in use, or its data folder is.
    #[error("no port from {first} to {last} is free for a {service}; name one with --port, or stop another {service}")]
    AllInUse {
        /// The kind of service.
        service: &'static str,
        /// The first port that was tried.
        first: u16,
        /// The last port that was tried.
        last: u16,
    },
    /// The host is not one that this machine can listen on, or the port is not allowed.
    #[error(
        "cannot listen on {host} port {port}: {source}; expected an address of this machine (127.0.0.1 for this \
         machine only, 0.0.0.0 for all its addresses)"
    )]
    Bind {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataDirError),
}

/// Binds a service without a data folder.
///
/// # Errors
/// See [`PortError`].
pub fn bind(request: PortRequest<'_>) -> Result<TcpListener, PortError> {
    bind_with(request, |_| Ok(())).map(|(listener, ())| listener)
}

/// Binds a service and locks the data folder that `open` opens for its port.
///
/// # Errors
/// See [`PortError`]. If a port is named, it is an error that another process holds its folder.
pub fn bind_with_data(
    request: PortRequest<'_>,
    open: impl FnMut(u16) -> Result<DataDir, DataDirError>,
) -> Result<(TcpListener, DataDir), PortError> {
    bind_with(request, open)
}

/// The listener is non-blocking, as tokio requires.
fn bind_with<T>(
    request: PortRequest<'_>,
    mut hold: impl FnMut(u16) -> Result<T, DataDirError>,
) -> Result<(TcpListener, T), PortError> {
    let PortRequest { service, host, port, first } = request;
    let bind_error = |port| move |source| PortError::Bind { host: host.to_owned(), port, source };
    if let Some(port) = port {
        let listener = listen(host, port).map_err(|source| match source.kind() {
            ErrorKind::AddrInUse => PortError::InUse { service, port, free: free_above(host, port) },
            _ => bind_error(port)(source),
        })?;
        let bound = listener.local_addr().map_err(bind_error(port))?.port();
        return Ok((listener, hold(bound)?));
    }
    let last = first.saturating_add(TRIES - 1);
    for port in first..=last {
        match listen(host, port) {
            Ok(listener) => match hold(port) {
                Ok(held) => return Ok((listener, held)),
                Err(DataDirError::InUse { .. }) => {}
                Err(error) => return Err(error.into()),
            },
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(source) => return Err(bind_error(port)(source)),
        }
    }
    Err(PortError::AllInUse { service, first, last })
}

fn listen(host: &str, port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind((host, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// A port for the advice in an error; it is released at once.
fn free_above(host: &str, port: u16) -> Option<u16> {
    (port.saturating_add(1)..=port.saturating_add(TRIES)).find(|&port| listen(host, port).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::params::Params;

    fn request(port: Option<u16>, first: u16) -> PortRequest<'static> {
        PortRequest { service: "node", host: "127.0.0.1", port, first }
    }

    fn port_of(listener: &TcpListener) -> u16 {
        listener.local_addr().unwrap().port()
    }

    #[test]
    fn a_named_port_that_is_in_use_is_refused_with_what_to_do() {
        let taken = bind(request(Some(0), 0)).unwrap();
        let error = bind(request(Some(port_of(&taken)), 0)).unwrap_err();
        let PortError::InUse { port, free, .. } = &error else { panic!("{error}") };
        assert_eq!(*port, port_of(&taken));
        assert!(free.is_none_or(|free| free > *port));
        let text = error.to_string();
        assert!(text.contains("is in use; ") && text.ends_with("stop the other node"), "{text}");
    }

    #[test]
    fn without_a_named_port_the_next_free_one_is_taken() {
        let taken = bind(request(Some(0), 0)).unwrap();
        let first = port_of(&taken);
        let next = bind(request(None, first)).unwrap();
        assert!(port_of(&next) > first);
    }

    #[test]
    fn a_port_whose_data_folder_is_held_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let network = Params::default();
        let open = |port| DataDir::open(root.path(), &network, "node", port);
        let (listener, data) = bind_with_data(request(Some(0), 0), open).unwrap();
        let first = port_of(&listener);
        // The port is free again, its folder is not.
        drop(listener);
        let (listener, other) = bind_with_data(request(None, first), open).unwrap();
        assert!(port_of(&listener) > first);
        assert_ne!(other.path(), data.path());
        assert!(other.path().ends_with(format!("node-{}", port_of(&listener))));
        // Another process may have the port by now, so the folder in use is tried with any port.
        let error = bind_with_data(request(Some(0), 0), |_| open(first)).unwrap_err();
        assert!(matches!(error, PortError::Data(DataDirError::InUse { .. })), "{error}");
    }

    #[test]
    fn a_data_folder_that_cannot_be_made_ends_the_search_at_once() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        std::fs::write(&file, "").unwrap();
        let mut tried = 0;
        let error = bind_with_data(request(None, 20_000), |port| {
            tried += 1;
            DataDir::open(&file, &Params::default(), "node", port)
        });
        assert!(matches!(error, Err(PortError::Data(DataDirError::Io { .. }))));
        assert_eq!(tried, 1);
    }

    #[test]
    fn a_host_of_another_machine_is_refused_with_what_is_expected() {
        let error = bind(PortRequest { host: "192.0.2.1", ..request(None, 20_000) }).unwrap_err().to_string();
        assert!(error.contains("192.0.2.1") && error.contains("an address of this machine"), "{error}");
    }
}
