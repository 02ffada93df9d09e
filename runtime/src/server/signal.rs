//! The signals that stop a program: Ctrl-C, SIGTERM, which `kill`, systemd and containers send, and SIGHUP, which a
//! terminal sends when it is closed.

use crate::exit;
use tokio_util::sync::CancellationToken;

/// A token that the first signal cancels; a second one ends the process at once.
///
/// SIGHUP counts as a first signal only: terminals and shells may both send one. Where it is ignored from the start, as
/// under `nohup`, it stays so. Must be called on a tokio runtime.
pub fn stop_on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let cancel = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = request_to_end() => {}
            () = hangup() => {}
        }
        tracing::info!("stopping; a second signal stops at once");
        cancel.cancel();
        request_to_end().await;
        exit::at_once(130);
    });
    token
}

async fn request_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // Without signals, the program runs until it is killed.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn hangup() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if !ignores_hangup()
            && let Ok(mut hangup) = signal(SignalKind::hangup())
        {
            hangup.recv().await;
            // Until the program has ended, further ones change nothing: tokio has taken the signal over for good.
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Whether the process was started with SIGHUP ignored; known on Linux only.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_signals(&status).is_some_and(|ignored| ignored & 1 == 1)
}

/// The mask of ignored signals; bit 0 is signal 1, SIGHUP.
#[cfg(unix)]
fn ignored_signals(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(all(test, unix))]
mod tests {
    use super::ignored_signals;

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        let status = "Name:\tnode\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        assert_eq!(ignored_signals(status), Some(0x1001));
        assert_eq!(ignored_signals("Name:\tnode\n"), None);
    }
}
