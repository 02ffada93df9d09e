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

#[test]
fn until_goes_on_in_whole_batches_and_shards_decide_alike() {
    let settings = [
        ("blocks", "300"),
        ("repeat", "4"),
        ("measure.until", "{ half_width = 0.03, at_most = 30 }"),
        ("sweep", "{ \"miner.pool.share\" = [0.0, 0.2, 0.45] }"),
    ];
    let plan = plan(&settings).unwrap();
    let rows_of = |shard| {
        let (mut schedule, mut rows) = (Schedule::new(&plan, shard), Vec::new());
        loop {
            let round = schedule.next_round();
            if round.is_empty() {
                return rows;
            }
            for index in round {
                let row = plan.run(index).unwrap();
                schedule.add(row.clone());
                rows.push(row);
            }
        }
    };
    let whole = rows_of(Shard::WHOLE);
    let mut parts: Vec<Row> = (0..2).flat_map(|index| rows_of(Shard { index, of: 2 })).collect();
    let count = |point: u64| whole.iter().filter(|row| row.index / 30 == point).count();
    // Without hash rate, the share is 0 in every run.
    assert_eq!(count(0), 4);
    assert!(count(1) % 4 == 0 && count(2) >= 4 && count(1) > 4, "{} {}", count(1), count(2));
    parts.sort_by_key(|row| row.index);
    let mut sorted = whole.clone();
    sorted.sort_by_key(|row| row.index);
    assert_eq!(parts, sorted);
    assert_eq!(plan.summaries(&sorted)[1].runs, count(1));
}

#[test]
fn a_single_long_run_has_an_interval_by_batch_means() {
    let settings = [
        ("blocks", "100000"),
        ("repeat", "1"),
        ("sweep", "{ \"network.gamma\" = [0.0, 0.5] }"),
        ("measure.quantities", "[\"share\", \"share_error\"]"),
    ];
    let plan = plan(&settings).unwrap();
    let rows: Vec<Row> = (0..plan.runs()).filter_map(|index| plan.run(index)).collect();
    for summary in plan.summaries(&rows) {
        let share = &summary.estimates[0];
        assert_eq!(share.verdict, Some(Verdict::Holds), "{share:?}");
        let half_width = share.interval.unwrap().half_width();
        assert!((0.002..0.02).contains(&half_width), "{half_width}");
    }
}

#[test]
fn a_policy_comes_from_a_file_and_its_text_becomes_part_of_the_scenario() {
    let scenario = r#"
        title = "Table"
        model = "race"
        blocks = 20000
        [[miner]]
        name = "pool"
        share = 0.3
        strategy = "policy"
        file = "greedy.csv"
        [expect]
        curve = "policy"
    "#;
    let table = "ours,theirs,fork,action\n1,0,irrelevant,wait\n2,0,irrelevant,override\n1,1,relevant,adopt\n";
    let open = |name: &str| if name == "greedy.csv" { Ok(table.to_owned()) } else { Err("no such file".to_owned()) };
    let plan = Plan::read_with_files(scenario, &[], None, &open).unwrap();
    let rows: Vec<Row> = (0..plan.runs()).filter_map(|index| plan.run(index)).collect();
    assert_eq!(plan.summaries(&rows)[0].estimates[0].verdict, Some(Verdict::Holds));
    let again = Plan::read(&plan.canonical_text(), &[], None).unwrap();
    assert_eq!((again.hash(), again.run(3)), (plan.hash(), plan.run(3)));
    let missing = Plan::read_with_files(&scenario.replace("greedy", "greddy"), &[], None, &open).unwrap_err();
    assert_eq!(missing.to_string(), "miner.pool.file: no such file");
}

#[test]
fn graphs_in_which_somebody_cannot_be_reached_and_events_without_sense_are_refused() {
    let base = |model: &str, rest: &str| format!("title = \"t\"\nmodel = \"{model}\"\nblocks = 10\n{rest}");
    let links = |lines: &str| {
        let miner = |name: &str| format!("[[miner]]\nname = \"{name}\"\nshare = 1\n");
        base("links", &format!("{}{}[network]\ngraph = \"list\"\nlinks = [{lines}]", miner("ada"), miner("ben")))
    };
    let relay = |lines: &str| base("relay", &format!("[network]\nnodes = 4\ngraph = \"list\"\nlinks = [{lines}]"));
    let event = |event: &str| base("relay", &format!("[[event]]\n{event}"));
    for (text, complaint) in [
        (links("\"ada > ben 5\""), "no way from ben to ada"),
        (links("\"ada - bob 5\""), "names of miners"),
        (links("\"ada - ben\""), "names of miners"),
        (relay("\"0 - 1\", \"2 - 3\""), "every node can be reached"),
        (relay("\"0 - 9\""), "numbers from 0 to 3"),
        (base("relay", "[network]\ngraph = \"regular\"\ndegree = 1"), "network.degree = 1: expected 2 to"),
        (event("at = \"soon\"\nlatency = { factor = 2.0 }"), "event.at"),
        (event("at = \"2 h\""), "one of partition"),
        (event("at = \"2 h\"\npartition = { half = \"region mars\" }"), "north-america"),
        (event("at = \"2 h\"\nhash_rate = { of = \"pool\", factor = 0.5 }"), "event.hash_rate.of"),
        (base("race", "[[miner]]\nname = \"a\"\nshare = 0.1\n[[event]]\nat = \"2 h\""), "none in this model"),
        (base("core", "[consensus]\ninitial_difficulty = 100000000"), "consensus.initial_difficulty"),
    ] {
        let error = Plan::read(&text, &[], None).unwrap_err().to_string();
        assert!(error.contains(complaint), "{text}: {error}");
    }
    for good in [
        links("\"ada - ben 5\""),
        relay("\"0 - 1\", \"1 - 2\", \"2 - 3\""),
        event("at = \"block 5\"\npartition = { half = \"region europe\", for = \"2 h\" }"),
        base("core", "[network]\nnodes = 5"),
    ] {
        let plan = Plan::read(&good, &[], None).unwrap();
        assert_eq!(plan.run(0).map(|row| row.index), Some(0), "{good}");
    }
}
