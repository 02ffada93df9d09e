//! One theft whenever somebody starts one on the explorer's first page.

use super::theft::key;
use super::{AttackSettings, NAME, attack, trouble};
use crate::attacker_options::AttackerOptions;
use crate::event::{AttackStep, RunEvent};
use explorer::{GIVE_UP, TheftChoice, TheftStep, Thefts};
use laboratory::strategy::StrategySetting;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio_util::sync::CancellationToken;

/// Carries thefts out, one after another, until `stop`; what happens goes into `events` and to `thefts`.
///
/// A task of its own on a thread for blocking work, since it checks blocks.
pub(crate) fn steal_on_demand(
    settings: AttackSettings,
    thefts: Thefts,
    choices: Receiver<TheftChoice>,
    events: Sender<RunEvent>,
    stop: CancellationToken,
) {
    let handle = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        handle.block_on(stop.run_until_cancelled_owned(serve(settings, thefts, choices, events)));
    });
}

async fn serve(
    mut settings: AttackSettings,
    thefts: Thefts,
    mut choices: Receiver<TheftChoice>,
    events: Sender<RunEvent>,
) {
    while let Some(choice) = choices.recv().await {
        let round = settings.round;
        // The payer of this theft, and that of the next one, which gets the money.
        for number in [round, round + 1] {
            let name = if number == 0 { NAME.to_owned() } else { format!("{NAME} {}", number + 1) };
            thefts.name(key(number).address(), name);
        }
        let TheftChoice { percent, confirmations } = choice;
        let text =
            format!("double-spend:{},confirmations={confirmations},give_up={GIVE_UP}", f64::from(percent) / 100.0);
        let strategy = StrategySetting::DoubleSpend { confirmations, give_up: GIVE_UP };
        settings.options = AttackerOptions { strategy, share: choice.share(), text };
        settings.thefts = Some(thefts.clone());
        match attack(settings.clone(), events.clone()).await {
            Ok(round) => settings.round = round,
            Err(error) => {
                let _ = events.send(trouble(&error)).await;
                thefts.report(TheftStep::Failed { reason: format!("{error:#}") });
                settings.round += 1;
            }
        }
    }
}

/// A step of an attack, as the page knows it; `None` for steps that it shows otherwise.
pub(super) fn theft_step(step: &AttackStep) -> Option<TheftStep> {
    match step {
        AttackStep::Paid { amount, .. } => Some(TheftStep::Paid { amount: *amount }),
        AttackStep::Stole { amount, .. } => Some(TheftStep::Stole { amount: *amount }),
        AttackStep::GaveUp { secret, public, .. } => Some(TheftStep::GaveUp { secret: *secret, public: *public }),
        AttackStep::Begins { .. }
        | AttackStep::Kept { .. }
        | AttackStep::HandedOver { .. }
        | AttackStep::Published { .. } => None,
    }
}
