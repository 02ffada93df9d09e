//! The code of a program, as instructions.

use crate::view;
use maud::{Markup, html};
use shared::program::{HexBytes, disassemble};

/// Most instructions that are shown.
const MAX_SHOWN: usize = 3000;
/// More instructions are folded.
const MAX_UNFOLDED: usize = 60;

pub(super) fn render(code: &[u8]) -> Markup {
    let instructions = disassemble(code);
    let shown = instructions.iter().take(MAX_SHOWN);
    let listing: String = shown.map(|one| format!("{:>5}  {one}\n", one.pc)).collect();
    let listing = html! { pre.listing tabindex="0" { (listing) } };
    html! {
        @if code.is_empty() {
            p.muted { "It has no code." }
        } @else {
            p { "The machine's instructions, each with its place in the code. Data behind the code is shown as \
                instructions, too." }
            @if instructions.len() > MAX_UNFOLDED {
                details { summary { "Show " (view::number(instructions.len() as u64)) " instructions" } (listing) }
            } @else {
                (listing)
            }
            @if instructions.len() > MAX_SHOWN { p.muted { "Only the first " (MAX_SHOWN) " are shown." } }
            details.raw { summary { "Hex" } (view::copyable(&HexBytes(code.to_vec()).to_string())) }
        }
    }
}
