//! A row of the report: our figure, the limit, the ratio.

use std::fmt;

pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) ours: f64,
    pub(crate) limit: f64,
    pub(crate) unit: &'static str,
    pub(crate) goal: String,
}

impl Row {
    pub(crate) const HEAD: &str =
        "what                                                  ours          limit  unit          ratio  goal";
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, ours, limit, unit, goal } = self;
        let number = |value: f64| if value >= 1000.0 { format!("{value:.0}") } else { format!("{value:.3}") };
        let (ratio, ours, limit) = (ours / limit, number(*ours), number(*limit));
        write!(f, "{what:<48} {ours:>12} {limit:>14}  {unit:<10} {ratio:>8.3}  {goal}")
    }
}
