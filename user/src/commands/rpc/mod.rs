//! `user rpc`: a wallet on this machine for Ethereum's clients. It signs with a key of ours, and passes what only reads
//! on to a mempool.

mod wallet;

use crate::Error;
use crate::console::{Console, Output, Style};
use crate::keys::KeyArgs;
use crate::services::Context;
use runtime::clock::Clock;
use runtime::server::{self, Identity, Limits, Settings};
use serde::Serialize;
use shared::ledger::{Address, Amount};
use shared::program::AccountId;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::net::TcpListener;
use wallet::Wallet;

/// Let web3.py and other clients of Ethereum deploy and call programs, on this machine only
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  user rpc -s alice &
  python3 -c 'from web3 import Web3; print(Web3(Web3.HTTPProvider(\"http://127.0.0.1:8545\")).eth.accounts)'

It listens on 127.0.0.1 only, and refuses requests that web pages make. All programs on this machine can spend
with it while it runs. Ends with Ctrl-C.")]
pub struct Args {
    #[command(flatten)]
    key: KeyArgs,
    /// Port to listen on
    #[arg(short, long, default_value_t = 8545)]
    port: u16,
    /// The fee of each transaction, in LAB [default: mempool.min_fee of the configuration, 0.00001]
    #[arg(short = 'F', long, value_name = "LAB", value_parser = Amount::from_lab)]
    fee: Option<Amount>,
}

/// A wallet that is ready for requests.
#[derive(Debug, Serialize)]
struct Ready {
    url: String,
    address: Address,
    account: AccountId,
    fee: Amount,
    mempool: String,
}

impl Output for Ready {
    fn text(&self, style: Style) -> String {
        let Self { url, address, account, fee, mempool } = self;
        format!(
            "{} is ready\naccount: {account}\naddress: {address}\neach transaction costs {fee} LAB; 1 LAB is 10^8 wei \
             here, and gas has no price\nreads come from {mempool}",
            style.strong(url)
        )
    }
}

/// # Errors
/// Fails if there is no mempool of a network with programs, or the port is taken.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let Args { key, port, fee } = args;
    let (pair, _) = key.load(console)?;
    let mempool = context.mempool().await?;
    context.note_foreign_network(&mempool, console);
    if !mempool.params.layer.has_programs() {
        return Err(Error::NoPrograms(mempool.params.name));
    }
    let fee = fee.unwrap_or(context.config.mempool.min_fee);
    let taken = |source| Error::Listen { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(taken)?;
    let at = listener.local_addr().map_err(taken)?;
    let identity = Identity::at("wallet", &mempool.params, at, Clock::new(0).time());
    // No names but `localhost` and addresses: a page whose name resolves to this machine is refused.
    let settings = Settings {
        network: Some(mempool.network_id),
        limits: Limits::from(&context.config.http),
        ..Settings::default()
    };
    let address = pair.address();
    let ready = Ready {
        url: format!("http://{at}"),
        address,
        account: address.account(),
        fee,
        mempool: mempool.address.clone(),
    };
    let wallet = Arc::new(Wallet::new(pair, mempool, fee, identity));
    console.print(&ready)?;
    let served = server::serve(listener, wallet, wallet::router(), settings, server::stop_on_signal()).await;
    served.map_err(taken)
}
