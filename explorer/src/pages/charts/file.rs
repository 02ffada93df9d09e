//! `/charts/<name>.csv` and `/charts/<name>.svg`: the numbers and the drawing of one chart.

use super::data::{ChartData, ChartsView};
use super::{KINDS, Kind, csv};
use crate::pages::errors;
use crate::state::ExplorerState;
use crate::view;
use crate::view::chart;
use http::StatusCode;
use maud::html;
use runtime::server::{Request, Response, reply};
use shared::wire::Problem;
use std::sync::Arc;

/// A drawing without blocks.
const EMPTY: (f64, f64) = (520.0, 60.0);

/// What a file is made of, with its content type.
type Made = (&'static str, fn(&ChartData, Option<&Kind>) -> String);

pub(crate) async fn file(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [file] = request.params()?;
    let view = ChartsView::of(&request)?;
    let Some((kind, (content_type, made))) = named(file) else {
        return Ok(errors::not_found(html! { "There is no chart " (view::sanitized(file)) "." }));
    };
    Ok(match ChartData::of(&explorer, view).await {
        Ok(data) => {
            let made = view::with_cast(explorer.cast(), || made(&data, kind));
            reply::whole(StatusCode::OK, content_type, made.into())
        }
        Err(error) => errors::no_answer(&error),
    })
}

/// The content type and the content of a file, if the data has such a chart. The names of people must be known here.
pub(crate) fn make(file: &str, data: &ChartData) -> Option<(&'static str, String)> {
    let (kind, (content_type, made)) = named(file)?;
    kind.is_none_or(|kind| kind.is_shown(data)).then(|| (content_type, made(data, kind)))
}

/// The chart of a file name, and how to make it; without a chart, the table of splits.
fn named(file: &str) -> Option<(Option<&'static Kind>, Made)> {
    let (name, ending) = file.rsplit_once('.')?;
    let kind = KINDS.iter().find(|kind| kind.name == name);
    match ending {
        "csv" if kind.is_some() || name == "splits" => Some((kind, ("text/csv; charset=utf-8", table))),
        "svg" if kind.is_some() => Some((kind, ("image/svg+xml", drawing))),
        _ => None,
    }
}

fn table(data: &ChartData, kind: Option<&Kind>) -> String {
    kind.map_or_else(|| csv::splits(data), |kind| (kind.table)(data))
}

fn drawing(data: &ChartData, kind: Option<&Kind>) -> String {
    let Some(kind) = kind else { return String::new() };
    if kind.name == "finders" {
        return super::finders::svg(data);
    }
    match (kind.section)(data).drawing {
        Some(drawing) => drawing.chart.render_alone(&drawing.hits),
        None => {
            let (width, height) = EMPTY;
            let inside = html! { text x="10" y="24" { "There are no numbers yet." } };
            chart::alone(width, height, kind.title, "Nothing is drawn yet.", &inside)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::charts::tests::{data, measured};

    #[test]
    fn every_chart_is_a_file_even_without_blocks() {
        for data in [measured(), data(&[]), data(&[5000])] {
            for kind in &KINDS {
                let (kind, (_, made)) = named(&format!("{}.svg", kind.name)).expect("a drawing");
                let svg = made(&data, kind);
                assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>"), "{svg}");
                assert!(!svg.contains("class=") && !svg.contains("style=") && !svg.contains("NaN"), "{svg}");
                let (kind, (_, made)) = named(&format!("{}.csv", kind.expect("a chart").name)).expect("a table");
                assert!(made(&data, kind).ends_with("\r\n"));
            }
        }
        for missing in ["splits.svg", "hashes.csv", "difficulty.png", "difficulty", ".csv", ""] {
            assert!(named(missing).is_none(), "{missing}");
        }
        assert!(named("splits.csv").is_some());
    }
}
