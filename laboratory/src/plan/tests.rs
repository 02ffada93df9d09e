//! Plans: seeds that depend on nothing else, rows that can be read back, verdicts, and refusals before anything runs.

use super::*;
use crate::scenario::EXAMPLE;

fn plan(settings: &[(&str, &str)]) -> Result<Plan, ScenarioError> {
    let settings: Vec<_> = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Plan::read(EXAMPLE, &settings, None)
}

#[test]
fn more_points_and_replications_change_no_other_run() {
    let small = plan(&[("blocks", "200"), ("repeat", "2")]).unwrap();
    let settings = [
        ("blocks", "200"),
        ("repeat", "3"),
        ("sweep", "{ \"miner.pool.share\" = [0.01, 0.05], \"network.gamma\" = [0.5, 0.7] }"),
    ];
    let large = plan(&settings).unwrap();
    // Share 0.05 and gamma 0.5 are point 1 of the small sweep and point 2 of the large one.
    let (one, other) = (small.run(3).unwrap(), large.run(7).unwrap());
    assert_eq!((one.seed, one.digest, one.values), (other.seed, other.digest, other.values));
    assert_eq!(small.run(small.runs()), None);
}

#[test]
fn rows_can_be_read_back_and_torn_ones_are_refused() {
    let plan = plan(&[("blocks", "200"), ("repeat", "2"), ("measure.quantities", "[\"share\", \"theft\"]")]).unwrap();
    let row = plan.run(1).unwrap();
    let line = row.csv(&plan);
    assert_eq!(Row::parse(&line, &plan), Some(row));
    assert_eq!(line.split(',').count(), plan.csv_header().split(',').count());
    for end in 0..line.len() {
        assert_eq!(Row::parse(&line[..end], &plan), None, "{}", &line[..end]);
    }
}

#[test]
fn the_example_comes_out_as_expected() {
    let plan = plan(&[("blocks", "4000")]).unwrap();
    let rows: Vec<Row> = (0..plan.runs()).filter_map(|index| plan.run(index)).collect();
    let summaries = plan.summaries(&rows);
    assert_eq!(summaries.len(), 27);
    for summary in summaries {
        let share = &summary.estimates[0];
        assert_eq!((share.quantity, share.verdict), ("share", Some(Verdict::Holds)), "{summary:?}");
    }
}

#[test]
fn a_wrong_expectation_fails_and_a_single_run_knows_nothing() {
    let settings = [("expect.curve", "fair"), ("sweep", "{}"), ("miner.pool.share", "0.4"), ("blocks", "4000")];
    let plan_of_many = plan(&settings).unwrap();
    let rows: Vec<Row> = (0..plan_of_many.runs()).filter_map(|index| plan_of_many.run(index)).collect();
    assert_eq!(plan_of_many.summaries(&rows)[0].estimates[0].verdict, Some(Verdict::Fails));
    assert_eq!(plan_of_many.summaries(&rows[..1])[0].estimates[0].verdict, Some(Verdict::Unknown));
}

#[test]
fn a_strategy_that_never_wins_agrees_with_its_markov_chain() {
    // Without gamma this strategy never publishes more than others have; the cut chain gives it a little.
    let settings = [
        ("sweep", "{}"),
        ("expect.curve", "policy"),
        ("miner.pool.strategy", "stubborn"),
        ("miner.pool.lead", "true"),
        ("miner.pool.equal_fork", "true"),
        ("miner.pool.share", "0.35"),
        ("network.gamma", "0.0"),
        ("blocks", "4000"),
    ];
    let plan = plan(&settings).unwrap();
    let rows: Vec<Row> = (0..plan.runs()).filter_map(|index| plan.run(index)).collect();
    let share = &plan.summaries(&rows)[0].estimates[0];
    assert_eq!((share.interval.unwrap().high, share.verdict), (0.0, Some(Verdict::Holds)));
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_runs() {
    for (key, value, complaint) in [
        ("miner.pool.share", "1.5", "miner.pool.share = 1.5: expected 0 to 1"),
        ("network.gamma", "-1.0", "network.gamma = -1: expected 0 to 1"),
        ("blocks", "0", "blocks = 0: expected 1 to"),
        ("miner.pool.trail", "1", "no such key with this strategy"),
        ("expect.curve", "double-spend", "expect.curve"),
        ("measure.quantities", "[\"stale\"]", "\"share\", which the expected curve is about"),
        ("consensus.block_interval_ms", "1", "[consensus] block_interval_ms = 1 is out of bounds"),
        ("consensus.initial_difficulty", "0", "expected 1 to"),
        ("miner", "[]", "one [[miner]] in a race"),
        ("sweep", "{ repeat = [1, 2] }", "cannot be swept"),
    ] {
        let sweep = if key == "sweep" { value } else { "{}" };
        let error = plan(&[("sweep", sweep), (key, value)]).unwrap_err().to_string();
        assert!(error.contains(complaint), "{key} = {value}: {error}");
    }
}

#[test]
fn the_canonical_text_is_a_scenario_with_the_same_runs() {
    let plan = plan(&[("blocks", "100"), ("repeat", "1")]).unwrap();
    let again = Plan::read(&plan.canonical_text(), &[], None).unwrap();
    assert_eq!((again.hash(), again.run(5)), (plan.hash(), plan.run(5)));
}
