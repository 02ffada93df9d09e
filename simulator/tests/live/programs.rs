//! A run of layer `program`: members make a token and a faucet and call them, and every call is run again at the end.

use super::{network, of_kind, parse_events};
use shared::params::Params;
use simulator::{OutputFormat, RunOptions};
use std::io::{self, Write};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Ends the run once tokens have moved and some blocks with payments have followed, however fast the machine is.
#[derive(Default)]
struct UntilTokensMove {
    written: Vec<u8>,
    stop: CancellationToken,
}

impl Write for UntilTokensMove {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.extend_from_slice(bytes);
        let text = String::from_utf8_lossy(&self.written);
        let after = text.split_once("moves ").map_or("", |(_, after)| after);
        if after.matches("\"event\":\"confirmed\"").count() >= 4 {
            self.stop.cancel();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_make_and_call_programs_and_every_token_is_found() {
    let mut options = network();
    let Params { name, block_interval_ms, initial_difficulty, .. } = options.config.network;
    options.config.network = Params { name, block_interval_ms, initial_difficulty, ..Params::of_programs() };
    (options.config.simulator.members, options.config.simulator.rate) = (2, 10);
    let options = RunOptions { seconds: Some(Duration::from_secs(60)), ..options };
    let mut out = UntilTokensMove::default();
    let stop = out.stop.clone();
    let report = simulator::run(&options, OutputFormat::Json, &mut out, stop).await.expect("the run starts");
    let events = parse_events(&out.written);
    assert!(report.is_good(), "{report:?} {:?}", events.last());
    let calls: Vec<&str> = of_kind(&events, "call").iter().filter_map(|call| call["does"].as_str()).collect();
    assert!(calls.starts_with(&["makes the", "makes the"]), "{calls:?}");
    assert!(calls.iter().any(|does| does.starts_with("moves ") && does.contains("token")), "{calls:?}");
    let money = report.money.unwrap();
    assert_eq!((money.programs, money.held), (2, money.created), "{money:?}");
    assert!(money.slots >= 2, "who has tokens: {money:?}");
}
