//! The errors of commands, each with a message that says what to do next.
//!
//! `kind` is for programs and stays the same between versions; `--json` prints it beside the message. Wrong usage has
//! an exit code of its own.

use runtime::client;
use runtime::config::ConfigError;
use serde_json::{Value, json};
use shared::keys::{BadKeyFile, NotWritten};
use shared::ledger::{Address, Amount, TransactionId, TransactionViolation};
use shared::wire::{Health, Role};
use std::io;
use std::path::PathBuf;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A flag or argument is wrong, or two of them contradict each other.
    #[error("{0}")]
    Usage(String),
    /// The configuration cannot be loaded.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The tracker does not answer.
    #[error(
        "no tracker answers at {tracker} ({source}); is it running? Start it with `tracker`, name another with \
         -t host:port, or ask a service directly with --mempool host:port"
    )]
    NoTracker { tracker: String, source: Box<client::Error> },
    /// The tracker lists no member of this role.
    #[error(
        "the tracker at {tracker} lists no {role}{network}; start one with `{role} -t {tracker}`, or name one with \
         --{role} host:port",
        role = role_name(*role)
    )]
    NoMember {
        tracker: String,
        role: Role,
        /// Empty, or ` of the network …` with a space in front.
        network: String,
    },
    /// The tracker lists several networks, and none of them is that of the configuration.
    #[error(
        "the tracker at {tracker} lists {role}s of several networks, and none of them is the network of the \
         configuration; choose one with --{role} host:port or --config file:\n{listed}",
        role = role_name(*role)
    )]
    SeveralNetworks {
        tracker: String,
        role: Role,
        /// One line for each network.
        listed: String,
    },
    /// No service answers on this machine.
    #[error("no Chainlab service runs on the usual ports of this machine; name one as host:port")]
    NoLocalService,
    /// The tracker refuses the request.
    #[error("{}", request_failure(tracker, source))]
    TrackerRefuses { tracker: String, source: Box<client::Error> },
    /// A service runs but is not well.
    #[error("the service at {at} is not well: it {}", health_text(*health))]
    NotHealthy { at: String, health: Health },
    /// The service at the address has another role.
    #[error("the service at {at} is a {got}, not a {expected}; name a {expected}")]
    WrongService { at: String, got: String, expected: &'static str },
    /// The service's parameters are invalid or do not match its network id.
    #[error("this program cannot use the network of {at}: {reason}")]
    UnusableNetwork { at: String, reason: String },
    /// The network has the layer `data`.
    #[error(
        "the network {0} has no money: its layer is data, so its blocks carry plain text and no transactions; use a \
         network with layer = \"transaction\""
    )]
    NoMoney(String),
    /// The network has no programs.
    #[error("the network {0} has no programs; use a network with layer = \"program\"")]
    NoPrograms(String),
    /// The network has no coins.
    #[error("the network {0} has no coins, but balances; use a network with layer = \"utxo\"")]
    NoCoins(String),
    /// The network has coins, and the command needs accounts.
    #[error("the network {0} has coins and no accounts; this command makes payments between accounts")]
    NoAccounts(String),
    /// The port cannot be listened on.
    #[error("cannot listen on port {port}: {source}; choose another with --port")]
    Listen { port: u16, source: io::Error },
    /// A service refused the request, or gave no usable answer.
    #[error("cannot {action}: {}", request_failure(at, source))]
    Request {
        /// Completes the sentence "cannot …".
        action: String,
        at: String,
        source: Box<client::Error>,
    },
    /// The transaction breaks a rule.
    #[error(transparent)]
    Violation(#[from] TransactionViolation),
    /// The payer has too little money.
    #[error("{who} cannot pay {amount} LAB and the fee of {fee} LAB, together {needed} LAB: {has}")]
    InsufficientBalance {
        who: String,
        amount: Amount,
        fee: Amount,
        needed: Amount,
        /// The payer's balance in words.
        has: String,
    },
    /// The number of the payment belongs to another payment.
    #[error(
        "the number of --id belongs to another payment of this payer: {amount} LAB to {to} (transaction {id}); choose \
         another number, or repeat that payment exactly"
    )]
    IdUsed { id: TransactionId, amount: Amount, to: Address },
    /// The mempool does not know the transaction.
    #[error("the mempool does not know the transaction {0}: it was never sent, or the mempool has dropped it")]
    UnknownTransaction(TransactionId),
    /// The transaction left the mempool during the wait.
    #[error("the transaction {id} has left the mempool without being confirmed: {reason}")]
    LeftPool { id: TransactionId, reason: String },
    /// The wait took too long.
    #[error(
        "{id} has {got} of {wanted} confirmations after {seconds} s; it is still on its way: `user tx {id}` shows its \
         state"
    )]
    WaitTimeout { id: TransactionId, got: u64, wanted: u64, seconds: u64 },
    /// An event stream has ended.
    #[error("no more events from {0}: {1}")]
    EventsEnded(String, String),
    /// No seed has money for a payment.
    #[error(
        "none of the seeds 0 to {max_seed} has more than the fee of {fee} LAB; mine for one of them, or send it some \
         money"
    )]
    NoPayer { max_seed: u64, fee: Amount },
    /// All payments of `user rnd` were refused.
    #[error("no payment was accepted")]
    NoneAccepted,
    /// The node's token was not found.
    #[error("{at} takes commands only with its token: {hint}")]
    NoToken {
        at: String,
        /// Where to find it.
        hint: String,
    },
    /// The file exists already.
    #[error("{} exists already, and a key file is never overwritten; name another file with -o", .0.display())]
    FileExists(PathBuf),
    /// A file or folder cannot be used.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// Completes the sentence "cannot …".
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// The file is not a key file, or its password is wrong.
    #[error("{}: {source}", path.display())]
    KeyFile { path: PathBuf, source: BadKeyFile },
    /// The key cannot be encoded.
    #[error(transparent)]
    NotWritten(#[from] NotWritten),
    /// There is no terminal to ask for the password.
    #[error("cannot ask for the password ({0}); without a terminal, name a file that holds it with --password-file")]
    NoPassword(io::Error),
    /// The two passwords differ.
    #[error("the two passwords differ; nothing was written")]
    PasswordsDiffer,
    /// The text is not a transaction.
    #[error("{origin} is not a transaction: {reason}")]
    NotATransaction {
        /// The file, `standard input`, or the service that it came from.
        origin: String,
        reason: String,
    },
    /// The operating system returned no random bytes.
    #[error("the operating system returned no random bytes: {0}")]
    Random(getrandom::Error),
    #[error("cannot set up the HTTP client: {0}")]
    Client(client::Error),
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// The exit code: 0 done, 1 refused or failed, 2 wrong usage; 3 to 6 for a service that is not well.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Config(_) => 2,
            Self::NotHealthy { health, .. } => match health {
                Health::Alone => 3,
                Health::Behind => 4,
                Health::CannotStore => 5,
                Health::WaitsForClock => 6,
            },
            // The reader has closed the pipe, as `head` does, or the terminal.
            Self::Output(error) if is_reader_gone(error) => 0,
            _ => 1,
        }
    }

    /// Whether its message has line ends of its own; in any other message a line end comes from another machine.
    pub(crate) const fn has_lines(&self) -> bool {
        matches!(self, Self::Usage(_) | Self::Config(_) | Self::SeveralNetworks { .. })
    }

    /// The kind of error, for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::Config(_) => "config",
            Self::NoTracker { .. } => "no-tracker",
            Self::TrackerRefuses { .. } => "refused",
            Self::NotHealthy { health, .. } => health.word(),
            Self::NoMember { role: Role::Mempool, .. } => "no-mempool",
            Self::NoMember { .. } => "no-node",
            Self::SeveralNetworks { .. } => "several-networks",
            Self::NoLocalService => "nothing-runs",
            Self::WrongService { .. } => "another-service",
            Self::UnusableNetwork { .. } => "strange-network",
            Self::NoMoney(_) => "no-money",
            Self::NoPrograms(_) => "no-programs",
            Self::NoCoins(_) => "no-coins",
            Self::NoAccounts(_) => "no-accounts",
            Self::Listen { .. } => "port",
            Self::Request { source, .. } => match **source {
                client::Error::Refused(_) => "refused",
                _ => "no-answer",
            },
            Self::Violation(violation) => violation.name(),
            Self::InsufficientBalance { .. } => "balance",
            Self::IdUsed { .. } => "id-used",
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
        if let Self::Request { source, .. } | Self::TrackerRefuses { source, .. } = self
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

/// What a word of `/info` means, after "it".
pub(crate) const fn health_text(health: Health) -> &'static str {
    match health {
        Health::Alone => "is alone: no peer answers it",
        Health::Behind => "is behind: a better chain is known and not here yet",
        Health::CannotStore => "cannot store: its disk is full or fails",
        Health::WaitsForClock => "waits for the clock: its chain is ahead of this machine's clock",
    }
}

/// Whether an output failed because its reader has gone.
fn is_reader_gone(error: &io::Error) -> bool {
    /// EIO on Unix: what a program gets from a terminal that is closed.
    const INPUT_OUTPUT_ERROR: i32 = 5;
    error.kind() == io::ErrorKind::BrokenPipe || cfg!(unix) && error.raw_os_error() == Some(INPUT_OUTPUT_ERROR)
}

/// The name of a role's program and flag.
pub(crate) const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Node => "node",
        Role::Mempool => "mempool",
    }
}

/// A refusal in the service's words, or the failure of the connection; with the address in both.
fn request_failure(at: &str, error: &client::Error) -> String {
    match error {
        client::Error::Refused(problem) if !problem.detail.is_empty() => format!("{at} refuses it: {}", problem.detail),
        client::Error::Refused(problem) => format!("{at} refuses it: {} {}", problem.status, problem.title),
        other => format!("{at} is {other}"),
    }
}
