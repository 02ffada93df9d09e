//! Money that flows through a transaction: what it takes on the left, what it gives on the right, each as wide as its
//! amount, and the fee falling out. Below the drawing, a table says the same for screen readers, with links.

use super::parts;
use maud::{Markup, html};
use shared::ledger::Amount;

/// The drawing is as wide as a phone, so that its text is legible there. All numbers are in its units.
const WIDTH: f64 = 340.0;
/// Where the bands on the left begin.
const LEFT: f64 = 112.0;
const BOX_LEFT: f64 = 160.0;
const BOX_RIGHT: f64 = 180.0;
/// Where the bands on the right end.
const RIGHT: f64 = 228.0;
/// The width of all that is taken together.
const THICKNESS: f64 = 112.0;
/// The height that a line of text needs.
const LINE: f64 = 15.0;
const GAP: f64 = 10.0;
/// Room below for the fee and its label.
const FALL: f64 = 34.0;
/// Most ends that are drawn on a side; the others are drawn together as one.
const MAX_ENDS: usize = 8;
/// Most characters of a name.
const MAX_CHARS: usize = 14;

/// Where money comes from, or where it goes.
pub(crate) struct End {
    /// The owner, in short.
    pub(crate) name: String,
    /// The owner's address in short, if `name` is another name.
    pub(crate) address: Option<String>,
    /// The coin, for the table.
    pub(crate) holding: Markup,
    /// The owner, for the table.
    pub(crate) owner: Markup,
    pub(crate) amount: Amount,
    pub(crate) note: Option<Note>,
}

/// What is said about an end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Note {
    /// Two words, for the drawing.
    pub(crate) short: &'static str,
    /// The reason.
    pub(crate) reason: &'static str,
}

pub(crate) struct Flow {
    pub(crate) takes: Vec<End>,
    pub(crate) gives: Vec<End>,
    pub(crate) fee: Amount,
}

/// One end as it is drawn.
struct Band {
    lines: Vec<Markup>,
    is_noted: bool,
    /// The middle of its outer end, from the top of its column.
    middle: f64,
    /// The upper corner of its inner end, from the top of the box.
    inner: f64,
    thickness: f64,
}

struct Column {
    bands: Vec<Band>,
    height: f64,
}

impl Flow {
    /// The drawing and the table.
    pub(crate) fn render(&self) -> Markup {
        html! {
            link rel="stylesheet" href=(crate::assets::path("coins.css"));
            div.flow { (self.drawing()) (self.table()) }
        }
    }

    fn drawing(&self) -> Markup {
        let sum = |ends: &[End]| ends.iter().map(|end| u128::from(end.amount.grains())).sum::<u128>();
        let total = sum(&self.takes).max(sum(&self.gives) + u128::from(self.fee.grains())).max(1) as f64;
        let scale = move |grains: u128| grains as f64 / total * THICKNESS;
        let (takes, gives) = (Column::of(&self.takes, &scale), Column::of(&self.gives, &scale));
        let height = takes.height.max(gives.height).max(THICKNESS);
        let top = (height - THICKNESS) / 2.0;
        let whole = height + if self.fee > Amount::ZERO { FALL } else { 0.0 };
        html! {
            svg.flow-picture viewBox=(format!("0 0 {WIDTH} {}", round(whole))) width=(WIDTH) height=(round(whole))
                role="img" aria-label="What the transaction takes, on the left, and gives, on the right, in LAB. The \
                    table below says the same." {
                (takes.draw((height - takes.height) / 2.0, top, Side::Takes))
                (gives.draw((height - gives.height) / 2.0, top, Side::Gives))
                @if self.fee > Amount::ZERO {
                    (fall(self.fee, top + THICKNESS, height, scale(self.fee.grains().into())))
                }
                rect.flow-box x=(BOX_LEFT) y=(round(top)) width=(BOX_RIGHT - BOX_LEFT) height=(THICKNESS) rx="4" {}
            }
        }
    }

    fn table(&self) -> Markup {
        let is_noted = self.takes.iter().chain(&self.gives).any(|end| end.note.is_some());
        let row = |side: &str, end: &End| {
            html! {
                tr {
                    th scope="row" { (side) }
                    td data-label="Where" { (end.holding) }
                    td data-label="Owner" { (end.owner) }
                    td.number data-label="Amount" { (parts::amount(end.amount)) }
                    @if is_noted { td.flow-note data-label="Note" {
                        @if let Some(note) = end.note { b { (note.short) } ": " (note.reason) }
                    } }
                }
            }
        };
        html! {
            div.table tabindex="0" role="region" aria-label="What it takes and what it gives" {
                table {
                    caption { "What it takes and what it gives" }
                    thead { tr { th scope="col" { "It" } th scope="col" { "Where" } th scope="col" { "Owner" }
                        th.number scope="col" { "Amount" } @if is_noted { th scope="col" { "Note" } } } }
                    tbody {
                        @for end in &self.takes { (row("takes", end)) }
                        @for end in &self.gives { (row("gives", end)) }
                        tr {
                            th scope="row" { "leaves" }
                            td data-label="Where" { "fee" }
                            td data-label="Owner" { "the miner" }
                            td.number data-label="Amount" { (parts::amount(self.fee)) }
                            @if is_noted { td data-label="Note" {} }
                        }
                    }
                }
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Takes,
    Gives,
}

impl Column {
    fn of(ends: &[End], scale: &impl Fn(u128) -> f64) -> Self {
        let shown = if ends.len() > MAX_ENDS { MAX_ENDS - 1 } else { ends.len() };
        let (alone, together) = ends.split_at(shown);
        let grains = |end: &End| u128::from(end.amount.grains());
        let mut drawn: Vec<(Vec<Markup>, bool, u128)> =
            alone.iter().map(|end| (lines(end), end.note.is_some(), grains(end))).collect();
        if !together.is_empty() {
            let sum = together.iter().map(grains).sum();
            let lines = vec![html! { text { (together.len()) " more" } }, html! { text.flow-amount { (lab(sum)) } }];
            drawn.push((lines, false, sum));
        }
        let (mut bands, mut height, mut inner) = (Vec::new(), 0.0, 0.0);
        for (lines, is_noted, grains) in drawn {
            let thickness = scale(grains);
            let slot = thickness.max(lines.len() as f64 * LINE) + GAP;
            bands.push(Band { lines, is_noted, middle: height + slot / 2.0, inner, thickness });
            height += slot;
            inner += thickness;
        }
        Self { bands, height }
    }

    /// Draws the column from `top` on, beside a box that begins at `box_top`.
    fn draw(&self, top: f64, box_top: f64, side: Side) -> Markup {
        let (outer_x, inner_x, text_x) = match side {
            Side::Takes => (LEFT, BOX_LEFT, 0.0),
            Side::Gives => (RIGHT, BOX_RIGHT, RIGHT + 6.0),
        };
        html! {
            @for band in &self.bands {
                @let outer = top + band.middle - band.thickness / 2.0;
                @let class = band_class(side, band);
                path.(class) d=(ribbon((outer_x, outer), (inner_x, box_top + band.inner), band.thickness)) {}
                @let first = top + band.middle - (band.lines.len() as f64 / 2.0 - 0.75) * LINE;
                @for (place, line) in band.lines.iter().enumerate() {
                    g transform=(format!("translate({text_x} {})", round(first + place as f64 * LINE))) { (line) }
                }
            }
        }
    }
}

/// The lines of text beside a band.
fn band_class(side: Side, band: &Band) -> &'static str {
    match side {
        _ if band.is_noted => "flow-noted",
        Side::Takes => "flow-taken",
        Side::Gives => "flow-given",
    }
}

fn lines(end: &End) -> Vec<Markup> {
    let name = html! {
        @match &end.address {
            Some(address) => { text.name { (cut(&end.name)) } text.whole { (cut(address)) } },
            None => text { (cut(&end.name)) },
        }
    };
    let mut lines = vec![name, html! { text.flow-amount { (lab(end.amount.grains().into())) } }];
    lines.extend(end.note.map(|note| html! { text.flow-note { (note.short) } }));
    lines
}

/// A band between two columns, `thickness` wide at both ends. Ends are given by their upper corner.
fn ribbon((x, y): (f64, f64), (to_x, to_y): (f64, f64), thickness: f64) -> String {
    // Thinner bands could not be seen.
    let thickness = thickness.max(1.0);
    let bend = f64::midpoint(x, to_x);
    let (y, to_y, low, to_low) = (round(y), round(to_y), round(y + thickness), round(to_y + thickness));
    format!("M{x} {y}C{bend} {y} {bend} {to_y} {to_x} {to_y}V{to_low}C{bend} {to_low} {bend} {low} {x} {low}Z")
}

/// The fee leaves the box at its lower corner and falls.
fn fall(fee: Amount, corner: f64, height: f64, thickness: f64) -> Markup {
    let thickness = thickness.max(1.5);
    let (from, corner, end) = (round(corner - thickness), round(corner), round(height + 12.0));
    let (near, far) = (BOX_RIGHT + 8.0, round(BOX_RIGHT + 8.0 + thickness));
    html! {
        path.flow-fee
            d=(format!("M{BOX_RIGHT} {from}Q{far} {from} {far} {corner}V{end}H{near}V{corner}H{BOX_RIGHT}Z")) {}
        text.flow-amount x=(near) y=(round(height + 28.0)) text-anchor="middle" { "fee " (lab(fee.grains().into())) }
    }
}

fn cut(name: &str) -> String {
    match name.char_indices().nth(MAX_CHARS) {
        Some(_) => name.chars().take(MAX_CHARS - 1).chain(['…']).collect(),
        None => name.to_owned(),
    }
}

fn lab(grains: u128) -> String {
    let (whole, first, rest) = parts::money(u64::try_from(grains).unwrap_or(u64::MAX));
    format!("{whole}.{first}{rest}")
}

/// To a tenth.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(grains: u64, note: Option<Note>) -> End {
        let amount = Amount::new(grains).expect("an amount");
        let (holding, owner) = (html! { "a coin" }, html! { "Ada" });
        End { name: "Ada".to_owned(), address: None, holding, owner, amount, note }
    }

    fn flow(takes: &[u64], gives: &[u64], fee: u64) -> Flow {
        let ends = |amounts: &[u64]| amounts.iter().map(|grains| end(*grains, None)).collect();
        Flow { takes: ends(takes), gives: ends(gives), fee: Amount::new(fee).expect("a fee") }
    }

    /// The thickness of each band of a drawing, from its path.
    fn thicknesses(shown: &str, class: &str) -> Vec<f64> {
        let start = format!("<path class=\"{class}\" d=\"M");
        let numbers = |path: &str| -> Vec<f64> {
            let path = path.split('"').next().unwrap_or_default();
            path.split(|c: char| !(c.is_ascii_digit() || c == '.')).filter_map(|number| number.parse().ok()).collect()
        };
        shown.split(&start).skip(1).map(numbers).map(|path| round(path[8] - path[7])).collect()
    }

    #[test]
    fn bands_are_as_wide_as_their_amounts() {
        let shown = flow(&[50, 50], &[90, 9], 1).render().into_string();
        assert_eq!(thicknesses(&shown, "flow-taken"), [56.0, 56.0]);
        assert_eq!(thicknesses(&shown, "flow-given"), [100.8, 10.1]);
        assert!(shown.contains("fee 0.0000000") && shown.matches("<tr>").count() == 6, "{shown}");
    }

    #[test]
    fn nothing_that_moves_is_invisible_and_nothing_at_all_is_drawn_too() {
        let shown = flow(&[1_000_000_001], &[1, 1_000_000_000], 0).render().into_string();
        assert_eq!(thicknesses(&shown, "flow-given"), [1.0, 112.0]);
        assert!(!shown.contains("flow-fee"), "{shown}");
        let nothing = flow(&[0], &[0], 0).render().into_string();
        assert!(!nothing.contains("NaN") && !nothing.contains("inf"), "{nothing}");
    }

    #[test]
    fn many_ends_are_drawn_as_one_and_listed_one_by_one() {
        let shown = flow(&[10; 128], &[1279], 1).render().into_string();
        assert_eq!(thicknesses(&shown, "flow-taken").len(), MAX_ENDS);
        assert!(shown.contains("121 more") && shown.matches(">takes<").count() == 128, "{shown}");
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!((cut("Ada"), cut("ABCDEFGHIJKLMNO")), ("Ada".to_owned(), "ABCDEFGHIJKLM…".to_owned()));
    }
}
