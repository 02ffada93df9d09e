//! A handler that puts a new program where the message says, not where Ethereum would put it.
//!
//! Ethereum makes the address from the sender's nonce. Ours follows from the transaction's id, so that it is known
//! before the transaction is in a block. All else is what the handler of Ethereum's main network does.

use crate::convert;
use revm::context::result::HaltReason;
use revm::context_interface::{ContextTr, CreateScheme, JournalTr};
use revm::handler::evm::FrameTr;
use revm::handler::{EvmTr, EvmTrError, FrameResult, Handler, MainnetHandler};
use revm::inspector::{Inspector, InspectorEvmTr, InspectorHandler};
use revm::interpreter::GasTracker;
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_action::{FrameInit, FrameInput};
use revm::primitives::Address;
use revm::state::EvmState;
use shared::program::{Message, Target};
use std::marker::PhantomData;

/// Runs one message.
pub(crate) struct Deployment<M, E> {
    to: Option<Address>,
    phantom: PhantomData<(M, E)>,
}

impl<M, E> Deployment<M, E> {
    pub(crate) fn of(message: &Message<'_>) -> Self {
        let to = match message.target {
            Target::Create(to) => Some(convert::address(to)),
            Target::Call(_) => None,
        };
        Self { to, phantom: PhantomData }
    }
}

impl<M, E> Handler for Deployment<M, E>
where
    M: EvmTr<
            Context: ContextTr<Journal: JournalTr<State = EvmState>>,
            Frame: FrameTr<FrameResult = FrameResult, FrameInit = FrameInit>,
        >,
    E: EvmTrError<M>,
{
    type Evm = M;
    type Error = E;
    type HaltReason = HaltReason;

    fn first_frame_input(&mut self, machine: &mut M, gas: &mut GasTracker) -> Result<Option<FrameInit>, E> {
        let mut usual = MainnetHandler::<M, E, M::Frame>::default();
        let mut frame = usual.first_frame_input(machine, gas)?;
        if let Some(FrameInit { frame_input: FrameInput::Create(inputs), .. }) = &mut frame
            && let Some(address) = self.to
        {
            inputs.set_scheme(CreateScheme::Custom { address });
        }
        Ok(frame)
    }
}

impl<M, E> InspectorHandler for Deployment<M, E>
where
    M: InspectorEvmTr<
            Context: ContextTr<Journal: JournalTr<State = EvmState>>,
            Frame: FrameTr<FrameResult = FrameResult, FrameInit = FrameInit>,
            Inspector: Inspector<<M as EvmTr>::Context, EthInterpreter>,
        >,
    E: EvmTrError<M>,
{
    type IT = EthInterpreter;
}
