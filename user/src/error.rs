//! The ways in which a command ends without having done what was asked, each in words that say what to do next.
//!
//! `kind` is for programs and stable: with `--json` it stands beside the words. Wrong usage is told apart, since it has
//! an exit code of its own.

use runtime::client;
use runtime::config::ConfigError;
use serde_json::{Value, json};
use shared::keys::{BadKeyFile, NotWritten};
use shared::ledger::{Amount, TransactionId, TransactionViolation};
use shared::wire::Role;
use std::io;
use std::path::PathBuf;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The flags make no sense together.
    #[error("{0}")]
    Usage(String),
    /// The configuration cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Nobody answers where the tracker should be.
    #[error(
        "no tracker answers at {tracker} ({source}); is it running? Start it with `tracker`, name another with -t host:port, or ask a service directly with --mempool host:port"
    )]
    NoTracker {
        /// Where it was looked for.
        tracker: String,
        /// What came of it.
        source: Box<client::Error>,
    },
    /// The tracker lists nobody of that role.
    #[error(
        "the tracker at {tracker} knows no live {role}{network}; start one with `{role} -t {tracker}`, or name one with --{role} host:port",
        role = role_name(*role)
    )]
    NoMember {
        /// Which tracker.
        tracker: String,
        /// Who is missing.
        role: Role,
        /// Of which network, where that is known; begins with a space.
        network: String,
    },
    /// The tracker lists several networks and none of them is the configuration's.
    #[error(
        "the tracker at {tracker} knows {role}s of several networks, and none is that of the configuration; choose one with --{role} host:port or --config file:\n{listed}",
        role = role_name(*role)
    )]
    SeveralNetworks {
        /// Which tracker.
        tracker: String,
        /// Who is looked for.
        role: Role,
        /// One line for each network.
        listed: String,
    },
    /// No service was found on this machine.
    #[error(
        "no service of Chainlab runs on this machine, on the ports that they take by themselves; name one: host:port"
    )]
    NoLocalService,
    /// Somebody else is at that address.
    #[error("{at} is a {got}, not a {expected}")]
    WrongService {
        /// The address.
        at: String,
        /// What it says it is.
        got: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A service whose parameters do not make its network id.
    #[error("{at} describes a network that this program cannot use: {reason}")]
    UnusableNetwork {
        /// The address.
        at: String,
        /// What is wrong.
        reason: String,
    },
    /// Layer `data`.
    #[error(
        "the network {0} has no money: its layer is data, plain text, without addresses and transactions; a network with layer = \"transaction\" has them"
    )]
    NoMoney(String),
    /// A service refused, or did not answer as it should.
    #[error("cannot {action}: {}", request_failure(at, source))]
    Request {
        /// What was tried.
        action: String,
        /// Who was asked.
        at: String,
        /// What came of it.
        source: Box<client::Error>,
    },
    /// A transaction that nobody would take.
    #[error(transparent)]
    Violation(#[from] TransactionViolation),
    /// The payer has not enough.
    #[error("{who} cannot pay {amount} LAB and the fee of {fee} LAB, together {needed} LAB: {has}")]
    InsufficientBalance {
        /// The payer.
        who: String,
        /// What is to be paid.
        amount: Amount,
        /// What it would cost on top.
        fee: Amount,
        /// Both together.
        needed: Amount,
        /// What there is, in words.
        has: String,
    },
    /// A transaction that the mempool does not know.
    #[error("the mempool does not know a transaction {0}: it was never sent, or was given up")]
    UnknownTransaction(TransactionId),
    /// A transaction that left the pool while it was waited for.
    #[error("the transaction {id} has left the mempool without being confirmed: {reason}")]
    LeftPool {
        /// Which.
        id: TransactionId,
        /// Why.
        reason: String,
    },
    /// Waiting took too long.
    #[error(
        "{id} has {got} of {wanted} confirmations after {seconds} s; it goes on without us: `user tx {id}` tells more"
    )]
    WaitTimeout {
        /// Which transaction.
        id: TransactionId,
        /// How many it has.
        got: u64,
        /// How many were asked for.
        wanted: u64,
        /// How long that took.
        seconds: u64,
    },
    /// A source of events has ended.
    #[error("{0} tells no more events: {1}")]
    EventsEnded(String, String),
    /// No seed can pay.
    #[error(
        "none of the seeds 0 to {max_seed} has more than the fee of {fee} LAB; mine for one of them, or send it something"
    )]
    NoPayer {
        /// The last seed.
        max_seed: u64,
        /// What a payment costs.
        fee: Amount,
    },
    /// All payments of a load were refused.
    #[error("no payment was accepted")]
    NoneAccepted,
    /// No token for the node.
    #[error("steering {at} needs its token: {hint}")]
    NoToken {
        /// The node.
        at: String,
        /// Where it may be found.
        hint: String,
    },
    /// A file that is there already.
    #[error("{} is there already and is never overwritten; name another file with -o", .0.display())]
    FileExists(PathBuf),
    /// A file or folder that cannot be used.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A file that is no key file, or is closed by a password.
    #[error("{}: {source}", path.display())]
    KeyFile {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: BadKeyFile,
    },
    /// A key cannot be written.
    #[error(transparent)]
    NotWritten(#[from] NotWritten),
    /// Nobody typed a password.
    #[error("cannot ask for the password ({0}); without a terminal, name a file that holds it with --password-file")]
    NoPassword(io::Error),
    /// The password was typed differently the second time.
    #[error("the two passwords differ; nothing was written")]
    PasswordsDiffer,
    /// A text that is no transaction.
    #[error("{origin} is not a transaction: {reason}")]
    NotATransaction {
        /// Where it came from.
        origin: String,
        /// What is wrong.
        reason: String,
    },
    /// The operating system gave no random bytes.
    #[error("no random bytes: {0}")]
    Random(getrandom::Error),
    /// The HTTP client cannot be set up.
    #[error("cannot set up the client: {0}")]
    Client(client::Error),
    /// Nobody takes the output.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// The exit code: 0 done, 1 refused or failed, 2 wrong usage.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Config(_) => 2,
            // Whoever read along has seen enough, as `head` does.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            _ => 1,
        }
    }

    /// Whether its words are lines of our own making; any other's line ends are a stranger's.
    pub(crate) const fn has_lines(&self) -> bool {
        matches!(self, Self::Usage(_) | Self::Config(_) | Self::SeveralNetworks { .. })
    }

    /// The kind of error, for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::Config(_) => "config",
            Self::NoTracker { .. } => "no-tracker",
            Self::NoMember { role: Role::Mempool, .. } => "no-mempool",
            Self::NoMember { .. } => "no-node",
            Self::SeveralNetworks { .. } => "several-networks",
            Self::NoLocalService => "nothing-runs",
            Self::WrongService { .. } => "another-service",
            Self::UnusableNetwork { .. } => "strange-network",
            Self::NoMoney(_) => "no-money",
            Self::Request { source, .. } => match **source {
                client::Error::Refused(_) => "refused",
                _ => "no-answer",
            },
            Self::Violation(violation) => violation.name(),
            Self::InsufficientBalance { .. } => "balance",
            Self::UnknownTransaction(_) => "unknown",
            Self::LeftPool { .. } => "vanished",
            Self::WaitTimeout { .. } => "waited-in-vain",
            Self::EventsEnded(..) => "events-ended",
            Self::NoPayer { .. } => "nobody-can-pay",
            Self::NoneAccepted => "none-accepted",
            Self::NoToken { .. } => "no-token",
            Self::FileExists(_) => "exists",
            Self::File { .. } => "file",
            Self::KeyFile { .. } | Self::NotWritten(_) => "key-file",
            Self::NoPassword(_) | Self::PasswordsDiffer => "password",
            Self::NotATransaction { .. } => "not-a-transaction",
            Self::Random(_) | Self::Client(_) | Self::Output(_) => "system",
        }
    }

    /// The error as one JSON value.
    pub fn to_json(&self) -> Value {
        let mut error = json!({ "kind": self.kind(), "message": self.to_string() });
        if let Self::Request { source, .. } = self
            && let client::Error::Refused(problem) = source.as_ref()
        {
            error["status"] = json!(problem.status);
            if let Some(rule) = &problem.rule {
                error["rule"] = json!(rule);
            }
        }
        json!({ "error": error })
    }
}

/// What a role is called, as program and as flag.
pub(crate) const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Node => "node",
        Role::Mempool => "mempool",
    }
}

/// A refusal in its own words; what goes wrong on the way needs to be said of whom.
fn request_failure(at: &str, error: &client::Error) -> String {
    match error {
        client::Error::Refused(problem) if !problem.detail.is_empty() => format!("{at} refuses it: {}", problem.detail),
        client::Error::Refused(problem) => format!("{at} refuses it: {} {}", problem.status, problem.title),
        other => format!("{at} is {other}"),
    }
}
