//! Log lines (tracing) and metrics (Prometheus).
//!
//! Both belong to the process: several services in one process share them.

use clap::ValueEnum;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::fmt;
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Upper bounds of the buckets of every histogram. All histograms count seconds.
const BUCKETS_SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// How often recorded values are moved into their buckets; without that they pile up until `/metrics` is read.
const UPKEEP: Duration = Duration::from_secs(5);

/// The format of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people: time of day (UTC), level, message
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Why the log or the metrics cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter in the environment is malformed.
    #[error(
        "{variable} = {value:?} is not a log filter: {part:?} names no level; the levels are off, error, warn, info, \
         debug and trace, as in \"debug\" or \"info,runtime=trace\""
    )]
    Filter {
        /// The name of the environment variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// The part of it that is malformed.
        part: String,
    },
    /// This process has another log or recorder of metrics already.
    #[error("cannot set up {what}: {reason}")]
    Taken {
        /// `the log` or `metrics`.
        what: &'static str,
        /// The error of the library.
        reason: String,
    },
}

/// Sends log lines to standard error, coloured on a terminal; call it once per process.
///
/// The filter is `CHAINLAB_LOG`, else `RUST_LOG`, else `info`.
///
/// # Errors
/// If the filter is malformed, or the process has a log already.
pub fn init_log(format: LogFormat) -> Result<(), TelemetryError> {
    init_log_at(format, "info")
}

/// [`init_log`] with another default filter, for programs that print what happens themselves: a level like `warn`.
///
/// # Errors
/// As [`init_log`].
pub fn init_log_at(format: LogFormat, default: &str) -> Result<(), TelemetryError> {
    let filter = filter(|name| std::env::var(name).ok(), default)?;
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    // A reader of the log may go away, as `head` does; that is no reason to end.
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).log_internal_errors(false);
    let log = tracing_subscriber::registry().with(filter);
    let outcome = match format {
        LogFormat::Text => log.with(lines.with_timer(TimeOfDay).with_target(false).with_ansi(colours)).try_init(),
        LogFormat::Json => log.with(lines.json().flatten_event(true)).try_init(),
    };
    outcome.map_err(|reason| TelemetryError::Taken { what: "the log", reason: reason.to_string() })
}

/// The filter from the environment, or the default one, which is a level. A text that names no level is an error: a
/// mistyped level would otherwise be taken for the name of a module, and silence the rest.
fn filter(variable: impl Fn(&str) -> Option<String>, default: &str) -> Result<Targets, TelemetryError> {
    for name in ["CHAINLAB_LOG", "RUST_LOG"] {
        if let Some(value) = variable(name).filter(|value| !value.trim().is_empty()) {
            let invalid =
                |part: &str| TelemetryError::Filter { variable: name, value: value.clone(), part: part.into() };
            return value.split(',').map(|part| directive(part).ok_or_else(|| invalid(part))).collect();
        }
    }
    Ok(directive(default).into_iter().collect())
}

/// `level` or `module=level`. The empty target means every module.
fn directive(part: &str) -> Option<(String, LevelFilter)> {
    let (target, level) = part.trim().rsplit_once('=').unwrap_or(("", part.trim()));
    let is_module = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let level = level.parse().ok().filter(|_| !level.is_empty() && target.chars().all(is_module))?;
    Some((target.to_owned(), level))
}

/// `03:29:00.123`, without the day, which a reader knows; in UTC, as the timestamps of blocks.
struct TimeOfDay;

impl FormatTime for TimeOfDay {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        write!(writer, "{}", time_of_day(now))
    }
}

fn time_of_day(since_1970: Duration) -> String {
    let seconds = since_1970.as_secs() % (24 * 60 * 60);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hour:02}:{minute:02}:{second:02}.{:03}", since_1970.subsec_millis())
}

/// The metrics of this process, as `GET /metrics` renders them; the first call begins to record.
///
/// # Errors
/// If the process has another recorder already.
pub fn metrics() -> Result<PrometheusHandle, TelemetryError> {
    static METRICS: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();
    METRICS.get_or_init(install).clone().map_err(|reason| TelemetryError::Taken { what: "metrics", reason })
}

fn install() -> Result<PrometheusHandle, String> {
    let builder = PrometheusBuilder::new().set_buckets(&BUCKETS_SECONDS).map_err(|error| error.to_string())?;
    let handle = builder.install_recorder().map_err(|error| error.to_string())?;
    let kept = handle.clone();
    let upkeep = move || {
        loop {
            std::thread::sleep(UPKEEP);
            kept.run_upkeep();
        }
    };
    // The thread lives as long as the process, as the recorder does.
    std::thread::Builder::new().name("metrics".to_owned()).spawn(upkeep).map_err(|error| error.to_string())?;
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn services_of_one_process_share_its_metrics() {
        let (first, second) = (metrics().unwrap(), metrics().unwrap());
        metrics::counter!("telemetry_test_total").increment(3);
        assert!(first.render().contains("telemetry_test_total 3"));
        assert_eq!(first.render(), second.render());
    }

    #[test]
    fn a_filter_that_names_no_level_is_refused_with_its_variable() {
        for (value, part) in [("info,x=loud", "x=loud"), ("debgu", "debgu"), ("info,", ""), ("a b=info", "a b=info")] {
            let variable = |name: &str| (name == "RUST_LOG").then(|| value.to_owned());
            let error = filter(variable, "info").unwrap_err().to_string();
            assert!(error.contains("RUST_LOG") && error.contains(&format!("{part:?} names no level")), "{error}");
        }
    }

    #[test]
    fn our_own_variable_wins_and_without_any_the_default_does() {
        let ours = |name: &str| Some(if name == "CHAINLAB_LOG" { "warn,runtime=debug" } else { "trace" }.to_owned());
        let ours = filter(ours, "info").unwrap();
        assert!(ours.would_enable("node::sync", &Level::WARN) && !ours.would_enable("node::sync", &Level::INFO));
        assert!(ours.would_enable("runtime::client", &Level::DEBUG));
        let unset = filter(|_| Some(" ".to_owned()), "warn").unwrap();
        assert!(unset.would_enable("x", &Level::WARN) && !unset.would_enable("x", &Level::INFO));
    }

    #[test]
    fn the_time_of_day_is_short() {
        assert_eq!(time_of_day(Duration::from_millis(1_795_231_740_123)), "03:29:00.123");
    }
}
