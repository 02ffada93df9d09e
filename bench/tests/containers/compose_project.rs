//! The network of compose.yaml as a project of its own, on free ports.

use crate::docker::{Image, compose, docker, inspect, prefix, root, run};
use crate::harness::NotRun;
use runtime::client::Client;
use shared::chain::Tip;
use shared::wire::{Info, Role};
use std::net::TcpListener;
use std::process::Command;

/// The token of its nodes.
const TOKEN: &str = "a secret of the tests";
/// Lines of the log to show when a test fails.
const LOG_LINES: &str = "40";

/// A project; everything it has made is removed when it is dropped.
pub(crate) struct ComposeProject {
    image: Image,
    ports: [u16; 3],
}

impl ComposeProject {
    /// A project without running containers.
    pub(crate) fn new() -> Result<Self, NotRun> {
        compose()?;
        // All are bound at the same time, so that they differ.
        let free = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = free.each_ref().map(|listener| listener.local_addr().unwrap().port());
        Ok(Self { image: Image::pack()?, ports })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = compose().unwrap_or_else(|NotRun(reason)| panic!("{reason}"));
        let [tracker, mempool, explorer] = self.ports;
        command.current_dir(root()).args(["--project-name", &prefix()]).args(words);
        command.env("CHAINLAB_IMAGE", &self.image.0).env("CHAINLAB_TOKEN", TOKEN).env("CHAINLAB_INTERVAL_MS", "1000");
        command.env("CHAINLAB_TRACKER_PORT", tracker.to_string());
        command.env("CHAINLAB_MEMPOOL_PORT", mempool.to_string());
        command.env("CHAINLAB_EXPLORER_PORT", explorer.to_string());
        command
    }

    /// Runs a compose command, such as `up`.
    pub(crate) fn compose(&self, words: &[&str]) -> String {
        run(&mut self.command(words)).unwrap()
    }

    /// Starts all services with this number of nodes, or restarts stopped ones.
    pub(crate) fn up(&self, nodes: usize) {
        self.compose(&["up", "--detach", "--no-build", "--scale", &format!("node={nodes}")]);
    }

    /// The containers of a service, or of all services.
    pub(crate) fn containers(&self, service: Option<&str>) -> Vec<String> {
        let project = format!("label=com.docker.compose.project={}", prefix());
        let mut words = vec!["ps".to_owned(), "--all".to_owned(), "--quiet".to_owned(), "--filter".to_owned(), project];
        if let Some(service) = service {
            words.extend(["--filter".to_owned(), format!("label=com.docker.compose.service={service}")]);
        }
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        docker(&words).unwrap().lines().map(str::to_owned).collect()
    }

    pub(crate) fn tracker(&self) -> String {
        format!("127.0.0.1:{}", self.ports[0])
    }

    pub(crate) fn mempool(&self) -> String {
        format!("127.0.0.1:{}", self.ports[1])
    }

    pub(crate) fn explorer(&self) -> String {
        format!("127.0.0.1:{}", self.ports[2])
    }

    /// The log of a service.
    pub(crate) fn log(&self, service: &str) -> String {
        self.compose(&["logs", "--no-color", service])
    }

    /// The addresses of the nodes that the tracker lists.
    pub(crate) async fn nodes(&self) -> Result<Vec<String>, String> {
        let client = Client::new(None, None).unwrap();
        let members = client.members(&self.tracker()).await.map_err(|error| error.to_string())?;
        Ok(members.into_iter().filter(|member| member.role == Role::Node).map(|member| member.address).collect())
    }

    /// Disconnects a container from the network, or connects it again.
    pub(crate) fn network(&self, word: &str, container: &str) {
        let network = inspect(container, "range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end").unwrap();
        let network = if network.is_empty() { format!("{}_default", prefix()) } else { network };
        docker(&["network", word, &network, container]).unwrap();
    }
}

/// The height of the node in a container. The request runs inside the container, which may be off the network.
pub(crate) fn height_within(container: &str) -> Result<u64, String> {
    let output = docker(&["exec", container, "user", "health", "--running", "--json"])?;
    let all: serde_json::Value = serde_json::from_str(&output).map_err(|error| error.to_string())?;
    all[0]["height"].as_u64().ok_or_else(|| format!("no height in {output}"))
}

/// The best block of a node or mempool.
pub(crate) async fn tip(at: &str) -> Result<Tip, String> {
    let info: Info = Client::new(None, None).unwrap().info(at).await.map_err(|error| error.to_string())?;
    info.tip.ok_or_else(|| format!("{at} has no tip"))
}

impl Drop for ComposeProject {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = run(&mut self.command(&["logs", "--no-color", "--tail", LOG_LINES]));
            eprintln!("-- the last of the log:\n{}", log.unwrap_or_else(|error| error));
        }
        let down = run(&mut self.command(&["down", "--volumes", "--remove-orphans", "--timeout", "5"]));
        if let Err(error) = down {
            eprintln!("{error}");
        }
    }
}
