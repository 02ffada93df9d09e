//! Charts as SVG: axes with round ticks, and lines or bars. The style sheet sets the colours, light or dark.
//!
//! A chart shows the shape of its numbers; pages show the important ones as text beside it.

mod axis;

pub(crate) use axis::Axis;
use maud::{Markup, html};
use std::fmt::Write;

/// The area of lines and bars, in units of the drawing.
const LEFT: f64 = 58.0;
const RIGHT: f64 = 508.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 208.0;
/// The whole drawing.
const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 252.0;
/// The height of the title above a drawing that stands alone.
const HEAD: f64 = 26.0;

#[derive(Debug, Clone)]
pub(crate) enum Mark {
    /// Points joined by a line.
    Line(Vec<(f64, f64)>),
    /// A line of expected values.
    Expected(Vec<(f64, f64)>),
    /// Left end, right end and height of each bar.
    Bars(Vec<(f64, f64, f64)>),
    /// A part of the x axis with a meaning of its own, behind the marks that follow.
    Band { from: f64, to: f64, text: String },
}

#[derive(Debug, Clone)]
pub(crate) struct Chart<'a> {
    /// A word that is unique on the page, for ids.
    pub(crate) name: &'a str,
    pub(crate) title: &'a str,
    /// For screen readers.
    pub(crate) description: &'a str,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) marks: Vec<Mark>,
}

/// A part of the x axis that shows its values under the pointer.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) text: String,
    /// The height of the block that a click leads to.
    pub(crate) block: Option<u64>,
}

/// Most parts with values: more would be thinner than a pointer.
const MAX_HITS: usize = 250;

impl Chart<'_> {
    pub(crate) fn render(&self) -> Markup {
        self.render_with(&[])
    }

    /// With values under the pointer, unless there are too many.
    pub(crate) fn render_with(&self, hits: &[Hit]) -> Markup {
        let hits = bounded(hits);
        let (title_id, description_id) = (format!("{}-title", self.name), format!("{}-description", self.name));
        html! {
            svg.chart viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img"
                aria-labelledby=(format!("{title_id} {description_id}")) {
                title id=(title_id) { (self.title) }
                desc id=(description_id) { (self.description) }
                (self.inside(hits))
            }
        }
    }

    /// A file of its own. It may be shown where no style sheet is, so it has colours of its own too.
    pub(crate) fn render_alone(&self, hits: &[Hit]) -> String {
        // Links belong to the pages of an explorer; a file may be anywhere.
        let hits: Vec<Hit> = hits.iter().map(|hit| Hit { block: None, ..hit.clone() }).collect();
        alone(WIDTH, HEIGHT, self.title, self.description, &self.inside(bounded(&hits)))
    }

    fn inside(&self, hits: &[Hit]) -> Markup {
        let Self { x, y, marks, .. } = self;
        html! {
            @for (tick, text) in y.ticks() {
                @let at = round(self.y_of(tick));
                line.gridline x1=(LEFT) x2=(RIGHT) y1=(at) y2=(at) {}
                text x=(LEFT - 6.0) y=(at) text-anchor="end" dominant-baseline="middle" { (text) }
            }
            @for (tick, text) in x.ticks() {
                @let at = round(self.x_of(tick));
                line.tick x1=(at) x2=(at) y1=(BOTTOM) y2=(BOTTOM + 4.0) {}
                text x=(at) y=(BOTTOM + 18.0) text-anchor="middle" { (text) }
            }
            line.axis x1=(LEFT) x2=(RIGHT) y1=(BOTTOM) y2=(BOTTOM) {}
            @for mark in marks { (self.mark(mark)) }
            @for hit in hits { (self.hit(hit)) }
            text.label x=(RIGHT) y=(HEIGHT - 8.0) text-anchor="end" { (x.label) }
            text.label x=(LEFT) y=(HEIGHT - 8.0) { "↑ " (y.label) }
        }
    }

    fn mark(&self, mark: &Mark) -> Markup {
        match mark {
            Mark::Line(points) => self.line("series", points),
            Mark::Expected(points) => self.line("expected", points),
            Mark::Bars(bars) => html! {
                @for (from, to, high) in bars {
                    @let (left, right, top) = (self.x_of(*from), self.x_of(*to), self.y_of(*high));
                    rect.bar x=(round(left + 0.5)) y=(round(top)) width=(round((right - left - 1.0).max(0.5)))
                        height=(round(BOTTOM - top)) {}
                }
            },
            Mark::Band { from, to, text } => {
                let (left, right) = (self.x_of(*from), self.x_of(*to));
                html! {
                    rect.band x=(round(left)) y=(TOP) width=(round((right - left).max(1.0))) height=(BOTTOM - TOP) {
                        title { (text) }
                    }
                }
            }
        }
    }

    fn hit(&self, Hit { from, to, text, block }: &Hit) -> Markup {
        let (left, right) = (self.x_of(*from), self.x_of(*to));
        let area = html! {
            rect.hit x=(round(left)) y=(TOP) width=(round((right - left).max(0.5))) height=(BOTTOM - TOP) {
                title { (text) }
            }
        };
        html! {
            // The tab key skips them: the numbers are in the CSV, and blocks have a page.
            @if let Some(block) = block { a href={ "/block/" (block) } tabindex="-1" { (area) } } @else { (area) }
        }
    }

    fn line(&self, class: &str, points: &[(f64, f64)]) -> Markup {
        if let [(x, y)] = points {
            return html! { circle.dot cx=(round(self.x_of(*x))) cy=(round(self.y_of(*y))) r="4" {} };
        }
        let mut text = String::new();
        for (x, y) in points {
            let space = if text.is_empty() { "" } else { " " };
            // Writing into a string does not fail.
            let _ = write!(text, "{space}{},{}", round(self.x_of(*x)), round(self.y_of(*y)));
        }
        html! { polyline class=(class) points=(text) {} }
    }

    fn x_of(&self, value: f64) -> f64 {
        LEFT + self.x.place(value) * (RIGHT - LEFT)
    }

    fn y_of(&self, value: f64) -> f64 {
        BOTTOM - self.y.place(value) * (BOTTOM - TOP)
    }
}

/// No hits, if they are too many.
fn bounded(hits: &[Hit]) -> &[Hit] {
    if hits.len() > MAX_HITS { &[] } else { hits }
}

/// The looks of a file without style sheet, by class. In text maud escapes the quotes, so only attributes are replaced.
const LOOKS: [(&str, &str); 12] = [
    ("class=\"gridline\"", "stroke=\"#d5dbe1\""),
    ("class=\"axis\"", "stroke=\"#56616b\""),
    ("class=\"tick\"", "stroke=\"#56616b\""),
    ("class=\"series\"", "fill=\"none\" stroke=\"#1464a8\" stroke-width=\"2\" stroke-linejoin=\"round\""),
    ("class=\"expected\"", "fill=\"none\" stroke=\"#9a5b00\" stroke-width=\"2.5\" stroke-linejoin=\"round\""),
    ("class=\"bar\"", "fill=\"#1464a8\" fill-opacity=\"0.7\""),
    ("class=\"dot\"", "fill=\"#1464a8\""),
    ("class=\"band\"", "fill=\"#f0d9a8\" fill-opacity=\"0.6\""),
    ("class=\"hit\"", "fill=\"#000\" fill-opacity=\"0\""),
    ("class=\"label\"", "fill=\"#14181c\""),
    ("class=\"heading\"", "fill=\"#14181c\" font-size=\"15\" font-weight=\"600\""),
    ("class=\"paper\"", "fill=\"#fff\""),
];

/// An SVG file: a title and a drawing on white paper.
pub(crate) fn alone(width: f64, height: f64, title: &str, description: &str, inside: &Markup) -> String {
    let svg = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(height + HEAD)
            viewBox=(format!("0 {} {width} {}", -HEAD, height + HEAD)) role="img"
            font-family="system-ui, DejaVu Sans, sans-serif" font-size="13" fill="#56616b" {
            title { (title) }
            desc { (description) }
            rect.paper y=(-HEAD) width=(width) height=(height + HEAD) {}
            text.heading x="10" y="-6" { (title) }
            (inside)
        }
    };
    LOOKS.iter().fold(svg.into_string(), |svg, (class, look)| svg.replace(class, look))
}

/// A tenth of a unit is finer than any screen.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// A number with three significant digits: `0.25`, `12.5`, `65.5 k`, `3.2 M`.
pub(crate) fn short_number(value: f64) -> String {
    const SUFFIXES: [(f64, &str); 5] = [(1e15, " P"), (1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")];
    let large = SUFFIXES.into_iter().find(|(unit, _)| value.abs() >= 0.9995 * unit);
    let (unit, suffix) = large.unwrap_or((1.0, ""));
    let scaled = value / unit;
    let digits = match scaled.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{scaled:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{suffix}")
}

/// A whole number with separated thousands: `1,234,567`.
pub(crate) fn whole_number(value: f64) -> String {
    grouped(&format!("{value:.0}"))
}

/// Separates the thousands in the digits of a whole number.
pub(crate) fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_significant_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.254, "0.25"),
            (9.996, "10"),
            (12.54, "12.5"),
            (100.4, "100"),
            (999.6, "1 k"),
            (1234.0, "1.23 k"),
            (65_536.0, "65.5 k"),
            (3.2e6, "3.2 M"),
            (9.007e15, "9.01 P"),
        ] {
            assert_eq!(short_number(value), text);
        }
        assert_eq!(
            (whole_number(999.0), whole_number(1234.0), whole_number(-1_234_567.0)),
            ("999".into(), "1,234".into(), "-1,234,567".into())
        );
    }

    #[test]
    fn marks_stay_within_the_chart_and_text_stays_text() {
        let chart = Chart {
            name: "sample",
            title: "<script>alert(1)</script>",
            description: "\"quoted\"",
            x: Axis::between("height", 1.0, 3.0, whole_number),
            y: Axis::from_zero("", 10.0, short_number),
            marks: vec![Mark::Line(vec![(1.0, 0.0), (3.0, 10.0), (9.0, 99.0)]), Mark::Bars(vec![(1.0, 2.0, -5.0)])],
        };
        let svg = chart.render().into_string();
        assert!(svg.contains("points=\"58,208 508,14 508,14\"") && svg.contains("height=\"0\""), "{svg}");
        assert!(svg.contains("&lt;script&gt;") && !svg.contains("<script>"), "{svg}");
        assert!(!svg.contains("style="), "{svg}");
        let hit = |from: f64| Hit { from, to: from + 1.0, text: "<b>2: 5".to_owned(), block: Some(2) };
        let svg = chart.render_with(&[hit(1.0), hit(9.0)]).into_string();
        assert!(svg.contains("href=\"/block/2\"") && svg.contains("<title>&lt;b&gt;2: 5</title>"), "{svg}");
        let many: Vec<Hit> = (0..1000).map(|place| hit(f64::from(place))).collect();
        assert!(!chart.render_with(&many).into_string().contains("hit"), "too thin to be hit");
        let file = chart.render_alone(&[hit(1.0)]);
        assert!(file.contains("&lt;b&gt;2: 5</title>") && !file.contains("href") && !file.contains("class="), "{file}");
        let split = Mark::Band { from: 2.0, to: 99.0, text: "split".to_owned() };
        let band = Chart { marks: vec![split], ..chart.clone() }.render().into_string();
        assert!(band.contains("<rect class=\"band\" x=\"283\" y=\"14\" width=\"225\""), "{band}");
        let one = Chart { marks: vec![Mark::Line(vec![(2.0, 5.0)])], ..chart };
        assert!(one.render().into_string().contains("<circle class=\"dot\" cx=\"283\" cy=\"111\""));
    }
}
