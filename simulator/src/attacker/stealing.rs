//! The course of a theft: the payment, the victim's wait, and the end, each told when it happens.

use super::theft::{Payment, Phase, Theft};
use super::{Attack, NAME};
use crate::event::{AttackStep, RunEvent};
use anyhow::Context;
use explorer::TheftStep;
use laboratory::strategy::StrategySetting;

impl Attack {
    /// Pays the victim, if the money is there.
    pub(super) async fn try_to_pay(&mut self) -> anyhow::Result<()> {
        let (Some(theft), Some(mempool)) = (&mut self.theft, &self.settings.mempool) else { return Ok(()) };
        let mempool = mempool.borrow().clone();
        let client = &self.settings.client;
        let Ok(balance) = client.balance(&mempool, &theft.payer().address(), 0).await else { return Ok(()) };
        if balance < theft.needed() {
            return Ok(());
        }
        let uuid = || {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes).map(|()| bytes)
        };
        let made_at = self.branches.public_tip().header.index;
        let (name, victim) = self.settings.victim.clone();
        let network = self.settings.params.network_id();
        let payment: Payment = theft
            .pay(victim, balance, [uuid()?, uuid()?], network, made_at)
            .context("the price is no amount of money")?;
        let amount = payment.public.transfer().amount;
        if let Err(error) = client.push_transaction(&mempool, &payment.public).await {
            let what = format!("pay {name}");
            let _ = self.events.send(RunEvent::Trouble { what, reason: error.to_string() }).await;
            return Ok(());
        }
        let public = Box::new(payment.public.clone());
        theft.phase = Phase::Paid(payment);
        self.branches.begin(&self.settings.options.strategy)?;
        let (attacker, victim) = (NAME.to_owned(), name);
        let confirmations = self.settings.options.confirmations().unwrap_or_default();
        self.tell(AttackStep::Paid { attacker, victim, amount, confirmations, payment: public }).await;
        Ok(())
    }

    /// Reports the lengths of both branches, if somebody has started this theft on a page.
    pub(super) fn report_race(&self) {
        if let (Some(thefts), Some(Theft { phase: Phase::Racing { handed_over, .. }, .. })) =
            (&self.settings.thefts, &self.theft)
        {
            let (secret, public) = self.branches.lengths();
            thefts.report(TheftStep::Race { secret, public, handed_over: *handed_over });
        }
    }

    /// The victim hands the bicycle over, once the payment has enough confirmations.
    pub(super) async fn hand_over(&mut self) {
        let wanted = u64::from(self.settings.options.confirmations().unwrap_or_default());
        let tip = self.branches.public_tip().header.index;
        let Some(Theft { phase: Phase::Racing { included, handed_over, .. }, .. }) = &mut self.theft else { return };
        let confirmations = (tip.0 + 1).saturating_sub(included.0);
        if !*handed_over && confirmations >= wanted {
            *handed_over = true;
            let victim = self.settings.victim.0.clone();
            self.tell(AttackStep::HandedOver { victim, confirmations }).await;
        }
    }

    /// Ends a theft that has succeeded or failed.
    pub(super) async fn judge(&mut self) -> anyhow::Result<()> {
        let Some(Theft { phase: Phase::Racing { payment, .. }, .. }) = &self.theft else { return Ok(()) };
        let thefts = self.branches.thefts();
        if thefts.tried == 0 {
            return Ok(());
        }
        let attacker = NAME.to_owned();
        let has_stolen = thefts.managed > 0;
        if has_stolen {
            let (victim, amount) = (self.settings.victim.0.clone(), payment.public.transfer().amount);
            let enough = self.settings.options.enough_confirmations();
            self.tell(AttackStep::Stole { attacker, victim, amount, enough }).await;
        } else {
            let (secret, public) = self.branches.lengths_before;
            self.tell(AttackStep::GaveUp { attacker, secret, public }).await;
        }
        self.end_theft(has_stolen)
    }

    /// Ends a theft; `moves_on`: the next one uses other addresses.
    pub(super) fn end_theft(&mut self, moves_on: bool) -> anyhow::Result<()> {
        self.ended += 1;
        if let Some(theft) = &mut self.theft {
            theft.begin_again(moves_on);
        }
        self.branches.begin(&StrategySetting::Honest)
    }
}
