//! Situations of loading a configuration.

use super::*;
use shared::config::Hashrate;
use shared::params::Params;

fn env(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn with_env(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    load_from(None, env(variables), Overrides::new())
}

fn with_file(text: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Mine.toml");
    std::fs::write(&path, text).unwrap();
    load_from(Some(&path), [], Overrides::new())
}

/// Asserts that the error contains each of `parts`.
fn refused(result: Result<Config, ConfigError>, parts: &[&str]) {
    let error = result.expect_err(parts[0]).to_string();
    for part in parts {
        assert!(error.contains(part), "{error}\ndoes not contain: {part}");
    }
}

#[test]
fn the_embedded_defaults_are_the_documented_ones() {
    let config = with_env(&[]).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.network, Params::default());
}

#[test]
fn every_value_of_the_defaults_is_explained_in_a_line_above_it() {
    let lines: Vec<&str> = DEFAULTS.lines().collect();
    for pair in lines.windows(2) {
        let is_value = pair[1].contains('=') && !pair[1].starts_with('#');
        assert!(!is_value || pair[0].starts_with("# "), "no explanation above: {}", pair[1]);
    }
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Mine.toml");
    std::fs::write(&path, "[node]\nthreads = 2\nmax_peers = 2\npoll_ms = 20\n").unwrap();
    let variables = env(&[("CHAINLAB__NODE__MAX_PEERS", "3"), ("CHAINLAB__NODE__POLL_MS", "30")]);
    let flags = Overrides::new().set("node.poll_ms", "--poll-ms", Some(40)).set("node.mine", "--no-mine", None::<bool>);
    let config = load_from(Some(&path), variables, flags).unwrap();
    assert_eq!((config.node.threads, config.node.max_peers, config.node.poll_ms), (2, 3, 40));
    assert!(config.node.mine);
}

#[test]
fn the_text_of_a_variable_is_parsed_as_its_field_requires() {
    let config = with_env(&[
        ("CHAINLAB__NETWORK__NAME", "123"),
        ("CHAINLAB__NODE__MESSAGE", "true"),
        ("CHAINLAB__NODE__PORT", "8105"),
        ("CHAINLAB__NODE__MINE", "false"),
        ("CHAINLAB__NODE__HASHRATE", "unlimited"),
        ("CHAINLAB__SIMULATOR__HASHRATE", "12345"),
        ("CHAINLAB__NODE__TOKEN", "00420042"),
        ("CHAINLAB__HTTP__HOSTS", "node-1, node-2"),
        ("CHAINLAB__NETWORK__INITIAL_DIFFICULTY", "9007199254740991"),
        ("CHAINLAB__NETWORK__RETARGET", "epoch"),
        ("CHAINLAB_LOG", "not ours"),
    ])
    .unwrap();
    assert_eq!(config.network.name, "123");
    assert_eq!(config.node.message, "true");
    assert_eq!(config.node.port, 8105);
    assert!(!config.node.mine);
    assert_eq!(config.node.hashrate, Hashrate::Unlimited);
    assert_eq!(config.simulator.hashrate, Hashrate::PerSecond(12345));
    assert_eq!(config.node.token.unwrap().expose(), "00420042");
    assert_eq!(config.http.hosts, ["node-1", "node-2"]);
    assert_eq!(config.network.initial_difficulty.value(), 9_007_199_254_740_991);
}

#[test]
fn an_empty_text_means_not_given() {
    let config = with_env(&[("CHAINLAB__NODE__TOKEN", ""), ("CHAINLAB__HTTP__HOSTS", "")]).unwrap();
    assert_eq!(config.node.token, None);
    assert!(config.http.hosts.is_empty());
}

#[test]
fn unknown_keys_are_refused_with_the_known_ones() {
    refused(with_file("[node]\nprot = 1\n"), &["Mine.toml", "node.prot", "port"]);
    refused(with_file("[network]\nintreval = 1\n"), &["Mine.toml", "network.intreval", "block_interval_ms"]);
    refused(with_file("[nodes]\nport = 1\n"), &["Mine.toml", "nodes.port", "tracker"]);
    refused(with_file("port = 1\n"), &["Mine.toml", "no port", "sections"]);
    refused(with_env(&[("CHAINLAB__NODE__PROT", "1")]), &["CHAINLAB__NODE__PROT", "node.prot"]);
    refused(with_env(&[("CHAINLAB__NODE", "1")]), &["CHAINLAB__NODE", "[node] has"]);
    refused(with_env(&[("CHAINLAB__NODE__PORT__X", "1")]), &["CHAINLAB__NODE__PORT__X", "node.port__x"]);
}

#[test]
fn a_value_that_its_field_does_not_accept_is_refused_with_its_source_and_what_was_expected() {
    refused(
        with_file("[node]\nport = 70000\n"),
        &["Mine.toml", "node.port: expected a whole number from 0 to 65535, got 70000"],
    );
    refused(with_file("[network]\nname = 123\n"), &["Mine.toml", "network.name: expected text in quotes, got 123"]);
    refused(with_file("[node]\npoll_ms = 2.5\n"), &["node.poll_ms: expected a whole number", "2.5"]);
    refused(with_file("[node]\nmine = 1\n"), &["node.mine: expected true or false, got 1"]);
    refused(
        with_env(&[("CHAINLAB__NODE__PORT", "many")]),
        &["CHAINLAB__NODE__PORT", "node.port: expected a whole number", "got \"many\""],
    );
    refused(with_env(&[("CHAINLAB__NODE__PORT", "-1")]), &["CHAINLAB__NODE__PORT", "-1"]);
    refused(with_env(&[("CHAINLAB__NODE__MINE", "perhaps")]), &["CHAINLAB__NODE__MINE", "expected true or false"]);
    refused(with_env(&[("CHAINLAB__NODE__HASHRATE", "0")]), &["CHAINLAB__NODE__HASHRATE", "unlimited"]);
}

#[test]
fn a_parameter_out_of_bounds_is_refused_by_name() {
    refused(with_file("[network]\nretarget_window = 1\n"), &["Mine.toml", "retarget_window", "2 to 10000"]);
    refused(with_env(&[("CHAINLAB__NETWORK__NAME", "My Net")]), &["CHAINLAB__NETWORK__NAME", "a-z"]);
}

#[test]
fn a_setting_out_of_bounds_is_refused_with_its_source() {
    refused(with_env(&[("CHAINLAB__NODE__POLL_MS", "0")]), &["CHAINLAB__NODE__POLL_MS", "10 to 3600000"]);
    refused(with_file("[http]\nmax_connections = 0\n"), &["Mine.toml", "http.max_connections", "8 to"]);
    refused(with_env(&[("CHAINLAB__NODE__TOKEN", "x")]), &["CHAINLAB__NODE__TOKEN", "at least 8"]);
}

#[test]
fn an_unknown_layer_is_refused_with_the_known_ones() {
    let flags = Overrides::new().set("network.layer", "--layer", Some("scripts"));
    refused(load_from(None, [], flags), &["--layer", "\"scripts\"", "expected one of data, transaction, program"]);
}

#[test]
fn values_are_taken_as_they_are_meant() {
    for (text, mines) in [("True", true), ("yes", true), ("1", true), ("on", true), ("False", false), ("0", false)] {
        assert_eq!(with_env(&[("CHAINLAB__NODE__MINE", text)]).unwrap().node.mine, mines, "{text}");
    }
    let config = with_env(&[("CHAINLAB__NODE__HASHRATE", "50k"), ("CHAINLAB__NODE__POLL_MS", "1_500")]).unwrap();
    assert_eq!((config.node.hashrate, config.node.poll_ms), (Hashrate::PerSecond(50_000), 1500));
    let config = with_file("[node]\nhashrate = \"2M\"\nmine = \"no\"\npoll_ms = \"2k\"\n").unwrap();
    assert_eq!((config.node.hashrate, config.node.mine), (Hashrate::PerSecond(2_000_000), false));
    assert_eq!(config.node.poll_ms, 2000);
    let flags = Overrides::new().set("node.mine", "--mine", Some("")).set("node.message", "--message", Some("  "));
    assert_eq!(load_from(None, [], flags).unwrap(), Config::default());
}

#[test]
fn a_misspelt_variable_is_refused_with_the_right_spelling() {
    for (name, right) in [
        ("CHAINLAB_NODE_MINE", "CHAINLAB__NODE__MINE"),
        ("CHAINLAB__NODE_MINE", "CHAINLAB__NODE__MINE"),
        ("CHAINLAB_NODE__MINE", "CHAINLAB__NODE__MINE"),
        ("chainlab__node__mine", "CHAINLAB__NODE__MINE"),
        ("CHAINLAB_NODE_POLL_MS", "CHAINLAB__NODE__POLL_MS"),
        ("CHAINLAB__NODE__POLL__MS", "CHAINLAB__NODE__POLL_MS"),
    ] {
        refused(with_env(&[(name, "")]), &[name, &format!("write {right}")]);
    }
    with_env(&[("CHAINLAB_TOKEN", "x"), ("CHAINLAB_SEED", "7"), ("CHAINLAB__NODE__mine", "no")]).unwrap();
}

#[test]
fn a_host_is_a_name_and_no_url() {
    for (given, advice) in [
        ("http://a", "write \"a\""),
        ("https://lab.example:8080/x", "write \"lab.example:8080\""),
        ("a b", "got \"a b\""),
        ("a/", "write \"a\""),
    ] {
        refused(with_env(&[("CHAINLAB__HTTP__HOSTS", given)]), &["CHAINLAB__HTTP__HOSTS", "names of hosts", advice]);
    }
    refused(with_file("[http]\nhosts = [\"a\", \"http://b\"]\n"), &["Mine.toml", "http.hosts", "write \"b\""]);
    let config = with_env(&[("CHAINLAB__HTTP__HOSTS", "a, b:80, [::1]:80")]).unwrap();
    assert_eq!(config.http.hosts, ["a", "b:80", "[::1]:80"]);
}

#[test]
fn a_file_with_a_mark_in_front_is_read_and_utf_16_is_named() {
    assert_eq!(with_file("\u{feff}[node]\nport = 8105\n").unwrap().node.port, 8105);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Mine.toml");
    std::fs::write(&path, b"\xff\xfe[\0n\0").unwrap();
    refused(load_from(Some(&path), [], Overrides::new()), &["Mine.toml", "UTF-16", "UTF-8"]);
}

#[test]
fn no_words_of_a_parser_reach_people() {
    let results = [
        with_file("[node]\nport = -1\n"),
        with_file("[node]\nport = \"x\"\n"),
        with_file("[node]\nmine = []\n"),
        with_file("[http]\nhosts = 1\n"),
        with_file("[network]\nlayer = 1\n"),
        with_file("[network]\nretarget = \"x\"\n"),
        with_file("[network]\ngenesis_time = \"x\"\n"),
        with_file("[node]\nhashrate = true\n"),
        with_file("[node]\ntoken = 42\n"),
        with_file("[node]\nport = \n"),
        with_file("[node]\nport = 1\nport = 2\n"),
        with_file("name = x\n"),
        with_env(&[("CHAINLAB__MEMPOOL__MIN_FEE", "x")]),
    ];
    // The name of the file has random letters.
    let text = |error: String| error.split_once("Mine.toml").map_or(error.clone(), |(_, rest)| rest.to_owned());
    for error in results.map(|result| text(result.unwrap_err().to_string())) {
        for words in ["u8", "u16", "u32", "u64", "i64", "usize", "invalid type", "invalid value", "variant", "EOF", "`"]
        {
            assert!(!error.contains(words), "{words}: {error}");
        }
    }
}

#[test]
fn a_file_that_is_missing_or_no_toml_is_refused_by_name() {
    refused(with_file("[node\n"), &["Mine.toml", "not a configuration", "line 1", "[node", "expected"]);
    let missing = Path::new("no-such-folder/Mine.toml");
    refused(load_from(Some(missing), [], Overrides::new()), &["cannot read", "no-such-folder"]);
}

#[test]
fn the_common_flags_parse_beside_others() {
    #[derive(clap::Parser)]
    struct Program {
        #[command(flatten)]
        common: CommonArgs,
    }
    let program =
        <Program as clap::Parser>::try_parse_from(["program", "--layer", "data", "--log-format", "json"]).unwrap();
    assert_eq!(program.common.layer.as_deref(), Some("data"));
    assert_eq!(program.common.log_format, crate::telemetry::LogFormat::Json);
}
