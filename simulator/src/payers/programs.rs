//! Programs that members make and call on layer `program`: the token and the faucet of `docs/examples/programs`. What a
//! call of them means is read back for the narration.
//!
//! Pure, as the choice of payments.

use shared::layer::program::new_program;
use shared::ledger::{Address, Amount, Transaction};
use shared::program::{AccountId, Call, CallKind, HexBytes, Word};
use shared::random::Random;

/// Tokens that there are; the member who makes the token has all of them at first.
pub const SUPPLY: u64 = 100_000;
/// What the faucet pays to each caller, in grains.
pub const FAUCET_PAYS: u64 = 100_000;
/// Blocks that one account has to wait before the faucet pays it again.
const FAUCET_PAUSE: u64 = 10;
/// Most tokens of one transfer.
const MAX_TRANSFER: u64 = 9;
/// Gas that is enough for a deployment, and for a call.
const GAS: [u64; 2] = [1_000_000, 120_000];
const FEE: u64 = 20_000;
/// `transfer(address,uint256)`.
const TRANSFER: [u8; 4] = [0xa9, 0x05, 0x9c, 0xbb];
/// `ask(address)`.
const ASK: [u8; 4] = [0x63, 0xf5, 0x56, 0x3b];

/// A program that the simulator knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Token,
    Faucet,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Token, Self::Faucet];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Faucet => "faucet",
        }
    }

    /// The code that makes it, and what its constructor takes: the token gives all tokens to its maker.
    pub fn init_code(self) -> Vec<u8> {
        let (code, arguments) = match self {
            // constructor(string,string,uint8,uint256): two texts follow the four words that they begin at.
            Self::Token => (
                include_str!("../../../docs/examples/programs/token.hex"),
                [&words(&[128, 192, 0, SUPPLY])[..], &short_text(b"Lab token"), &short_text(b"TOK")].concat(),
            ),
            // constructor(uint256,uint256)
            Self::Faucet => {
                (include_str!("../../../docs/examples/programs/faucet.hex"), words(&[FAUCET_PAYS, FAUCET_PAUSE]))
            }
        };
        // A test reads both.
        let HexBytes(mut init) = code.trim().parse().unwrap_or_default();
        init.extend(arguments);
        init
    }

    /// Which program a deployment makes.
    pub fn of_deployment(transaction: &Transaction) -> Option<Self> {
        let call = transaction.as_payment()?.call().ok().flatten()?;
        let is_deployment = transaction.call_kind() == Some(CallKind::Deploy);
        Self::ALL.into_iter().find(|kind| is_deployment && kind.init_code() == call.input)
    }
}

/// A call or deployment to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramChoice {
    /// The member's number.
    pub caller: usize,
    pub to: Address,
    pub amount: Amount,
    pub fee: Amount,
    pub msg: String,
}

/// The programs as the members know them: those that the mempool has accepted.
#[derive(Debug, Default)]
pub struct Programs {
    token: Option<AccountId>,
    faucet: Option<AccountId>,
    /// The tokens of each member by number, as far as transfers that were sent tell.
    tokens: Vec<u64>,
    /// Members who have called the faucet.
    served: Vec<bool>,
    turn: u64,
}

impl Programs {
    pub fn new(members: usize) -> Self {
        Self { tokens: vec![0; members], served: vec![false; members], ..Self::default() }
    }

    /// What the members do next with programs, if it is their turn: every second time, a program that is still missing
    /// is made, or one is called. `None` means that a payment comes next.
    pub fn choose(
        &mut self,
        random: &mut Random,
        spendable: &[u64],
        accounts: &[AccountId],
        reward: u64,
    ) -> Option<ProgramChoice> {
        self.turn += 1;
        let (members, endowment) = (accounts.len(), reward / 10);
        if !self.turn.is_multiple_of(2) || members < 2 || reward < FEE * 100 {
            return None;
        }
        let can_pay = |member: &usize, amount: u64| spendable[*member] > amount + FEE;
        let anybody = |amount: u64| (0..members).find(|member| can_pay(member, amount));
        match (self.token, self.faucet) {
            (None, _) => deployment(anybody(0)?, Kind::Token, 0),
            (_, None) => deployment(anybody(endowment)?, Kind::Faucet, endowment),
            (Some(token), Some(faucet)) => {
                let first = random.index(members);
                let mut all = (0..members).map(|place| (first + place) % members).filter(|member| can_pay(member, 0));
                let unserved = all.clone().find(|member| !self.served[*member]);
                if let Some(caller) = unserved.filter(|_| self.turn.is_multiple_of(6)) {
                    self.served[caller] = true;
                    return call(caller, faucet, [&ASK[..], &account_word(&accounts[caller])].concat());
                }
                let caller = all.find(|member| self.tokens[*member] > 0)?;
                let to = (caller + 1 + random.index(members - 1)) % members;
                let tokens = 1 + random.next_u64() % MAX_TRANSFER.min(self.tokens[caller]);
                self.tokens[caller] -= tokens;
                self.tokens[to] += tokens;
                call(caller, token, transfer(&accounts[to], tokens))
            }
        }
    }

    /// Learns of a program that a member has made.
    pub fn learn(&mut self, transaction: &Transaction, maker: usize) {
        let made = new_program(&transaction.id());
        match Kind::of_deployment(transaction) {
            Some(Kind::Token) if self.token.is_none() => {
                self.token = Some(made);
                self.tokens[maker] = SUPPLY;
            }
            Some(Kind::Faucet) if self.faucet.is_none() => self.faucet = Some(made),
            _ => {}
        }
    }
}

fn deployment(maker: usize, kind: Kind, endowment: u64) -> Option<ProgramChoice> {
    let msg = Call { gas: GAS[0], input: kind.init_code() }.to_msg(CallKind::Deploy);
    let (amount, fee) = (Amount::new(endowment)?, Amount::new(FEE)?);
    Some(ProgramChoice { caller: maker, to: Address::nobody(), amount, fee, msg })
}

fn call(caller: usize, program: AccountId, input: Vec<u8>) -> Option<ProgramChoice> {
    let msg = Call { gas: GAS[1], input }.to_msg(CallKind::Call);
    Some(ProgramChoice { caller, to: Address::of_program(program), amount: Amount::ZERO, fee: Amount::new(FEE)?, msg })
}

fn transfer(to: &AccountId, tokens: u64) -> Vec<u8> {
    [&TRANSFER[..], &account_word(to), &Word::from(tokens).0].concat()
}

fn words(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| Word::from(*number).0).collect()
}

fn account_word(account: &AccountId) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&account.0);
    word
}

/// A text of at most 32 bytes as an argument: its length, and its bytes in a word.
fn short_text(text: &[u8]) -> [u8; 64] {
    let mut words = [0; 64];
    words[..32].copy_from_slice(&Word::from(text.len() as u64).0);
    words[32..32 + text.len()].copy_from_slice(text);
    words
}

/// The account and the number of tokens of a transfer, read from the input of a call.
pub fn read_transfer(input: &[u8]) -> Option<(AccountId, u64)> {
    let (to, tokens) = input.strip_prefix(&TRANSFER)?.split_first_chunk::<32>()?;
    let (padding, account) = to.split_last_chunk::<20>()?;
    let tokens = Word(tokens.try_into().ok()?).to_u64()?;
    padding.iter().all(|byte| *byte == 0).then_some((AccountId(*account), tokens))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::block::BlockHash;
    use shared::keys::KeyPair;
    use shared::ledger::{Unsigned, Uuid};

    const REWARD: u64 = 5_000_000_000;

    fn accounts() -> Vec<AccountId> {
        ["ada", "ben", "cleo"].map(|name| KeyPair::from_seed(name).address().account()).to_vec()
    }

    fn signed(choice: &ProgramChoice) -> Transaction {
        let pair = KeyPair::from_seed("ada");
        let ProgramChoice { to, amount, fee, msg, .. } = choice.clone();
        let unsigned = Unsigned { uuid: Uuid([1; 16]), from: pair.address(), to, amount, fee, msg };
        pair.sign_transaction(unsigned, BlockHash::ZERO)
    }

    #[test]
    fn the_programs_are_the_examples_with_their_arguments() {
        for (kind, arguments) in Kind::ALL.into_iter().zip([8 * 32, 2 * 32]) {
            let path = format!("{}/../docs/examples/programs/{}.hex", env!("CARGO_MANIFEST_DIR"), kind.name());
            let HexBytes(code) = std::fs::read_to_string(&path).unwrap().trim().parse().unwrap();
            let init = kind.init_code();
            assert!(init.starts_with(&code), "{path}");
            assert_eq!(init.len(), code.len() + arguments, "{path}");
        }
    }

    #[test]
    fn members_make_both_programs_and_then_call_them() {
        let (accounts, mut random) = (accounts(), Random::new(7));
        let mut programs = Programs::new(3);
        let mut next = |programs: &mut Programs| {
            let mut tries = std::iter::repeat_with(|| programs.choose(&mut random, &[REWARD; 3], &accounts, REWARD));
            tries.by_ref().take(20).flatten().next().unwrap()
        };
        for kind in Kind::ALL {
            let transaction = signed(&next(&mut programs));
            assert_eq!(Kind::of_deployment(&transaction), Some(kind));
            programs.learn(&transaction, 0);
        }
        let mut transfers = 0;
        for _ in 0..50 {
            let choice = next(&mut programs);
            let call = signed(&choice).as_payment().unwrap().call().unwrap().unwrap();
            transfers += u64::from(read_transfer(&call.input).is_some());
        }
        assert!(transfers > 30, "{transfers}");
        assert_eq!(programs.tokens.iter().sum::<u64>(), SUPPLY, "tokens move, and none is lost");
        assert_eq!(programs.served, [true; 3], "each member took something from the faucet");
    }

    #[test]
    fn a_transfer_is_read_as_it_was_written() {
        let ben = accounts()[1];
        assert_eq!(read_transfer(&transfer(&ben, 5)), Some((ben, 5)));
        let mut strange = transfer(&ben, 5);
        strange[4] = 1;
        for input in [&[][..], &TRANSFER, &strange, &transfer(&ben, 5)[..67]] {
            assert_eq!(read_transfer(input), None);
        }
    }

    #[test]
    fn without_money_nothing_is_made() {
        let (accounts, mut random) = (accounts(), Random::new(7));
        let mut programs = Programs::new(3);
        for _ in 0..10 {
            assert_eq!(programs.choose(&mut random, &[0; 3], &accounts, REWARD), None);
        }
    }
}
