//! A local network of hosts: each is a network namespace with an address, connected to a switch, which is a namespace
//! too. Everything is removed when it is dropped; the remains of a killed run are removed when the next run starts.

use crate::harness::NotRun;
use crate::name_server::NameServer;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Prefix of the names of our namespaces; the id of the process that made them follows.
const PREFIX: &str = "chainlab-";
/// Where `ip netns exec` finds a namespace's own files for /etc.
const ETC: &str = "/etc/netns";
/// Last part of the address that the test itself has in the network.
const TEST_HOST: usize = 254;

/// A network of hosts, numbered from 1.
pub(crate) struct Lan {
    switch: String,
    /// The first three parts of all addresses, with a dot at the end.
    prefix: String,
    hosts: usize,
    folder: TempDir,
    name_server: Option<NameServer>,
}

/// Runs a command; returns its output, or its errors if it fails.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

/// Runs `ip` with these arguments, separated by spaces.
fn ip(words: &str) -> Result<String, String> {
    run(Command::new("ip").args(words.split(' ')))
}

impl Lan {
    /// Makes hosts that all reach one another, named `host-1.lan` and so on.
    pub(crate) fn new(hosts: usize) -> Result<Self, NotRun> {
        sweep();
        let process = std::process::id();
        let folder = tempfile::tempdir().map_err(|error| NotRun(format!("no temporary folder: {error}")))?;
        let prefix = format!("10.77.{}.", process % 200 + 20);
        let mut lan = Self { switch: format!("{PREFIX}{process}"), prefix, hosts, folder, name_server: None };
        lan.check_support().map_err(|reason| NotRun(format!("hosts cannot be made here: {reason}")))?;
        lan.build().unwrap();
        let ourselves = lan.address(TEST_HOST).parse().map_err(|_| NotRun("no address for the test".to_owned()))?;
        let name_server = NameServer::serve(ourselves).map_err(|error| NotRun(format!("no name server: {error}")))?;
        (1..=hosts).for_each(|host| name_server.set(&lan.name(host), &lan.address(host)));
        lan.name_server = Some(name_server);
        Ok(lan)
    }

    /// Fails if the machine lacks namespaces, bridges, virtual interfaces, or root rights.
    fn check_support(&self) -> Result<(), String> {
        let switch = &self.switch;
        ip(&format!("netns add {switch}"))?;
        ip(&format!("-n {switch} link add trial type bridge"))?;
        ip(&format!("-n {switch} link add one type veth peer name other"))?;
        ip(&format!("-n {switch} link del one"))?;
        ip(&format!("-n {switch} link del trial")).map(drop)
    }

    fn build(&self) -> Result<(), String> {
        let (switch, prefix) = (&self.switch, &self.prefix);
        // Two bridges, so that the network can be cut. The test is on both, with the same hardware address.
        for bridge in ["a", "b"] {
            let ours = interface(bridge);
            ip(&format!("-n {switch} link add bridge-{bridge} type bridge"))?;
            ip(&format!("-n {switch} link set bridge-{bridge} up"))?;
            ip(&format!("link add {ours} address 02:77:00:00:00:01 type veth peer name test-{bridge} netns {switch}"))?;
            ip(&format!("-n {switch} link set test-{bridge} master bridge-{bridge} up"))?;
            ip(&format!("link set {ours} up"))?;
        }
        ip(&format!("addr add {prefix}{TEST_HOST}/24 dev {}", interface("a")))?;
        for host in 1..=self.hosts {
            let space = self.namespace(host);
            ip(&format!("netns add {space}"))?;
            ip(&format!("-n {switch} link add port-{host} type veth peer name eth0 netns {space}"))?;
            ip(&format!("-n {switch} link set port-{host} master bridge-a up"))?;
            ip(&format!("-n {space} addr add {prefix}{host}/24 dev eth0"))?;
            ip(&format!("-n {space} link set eth0 up"))?;
            ip(&format!("-n {space} link set lo up"))?;
            let etc = Path::new(ETC).join(&space);
            let resolver = format!("nameserver {prefix}{TEST_HOST}\noptions timeout:1 attempts:2\n");
            std::fs::create_dir_all(&etc)
                .and_then(|()| std::fs::write(etc.join("resolv.conf"), resolver))
                .and_then(|()| std::fs::create_dir_all(self.folder(host)))
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    pub(crate) fn address(&self, host: usize) -> String {
        format!("{}{host}", self.prefix)
    }

    pub(crate) fn name(&self, host: usize) -> String {
        format!("host-{host}.lan")
    }

    /// Lets `name` resolve to this host from now on.
    pub(crate) fn set_name(&self, name: &str, host: usize) {
        if let Some(name_server) = &self.name_server {
            name_server.set(name, &self.address(host));
        }
    }

    /// The folder that stands for a host's disk.
    pub(crate) fn folder(&self, host: usize) -> PathBuf {
        self.folder.path().join(format!("host-{host}"))
    }

    fn namespace(&self, host: usize) -> String {
        format!("{}-{host}", self.switch)
    }

    /// The same command, run on a host.
    pub(crate) fn on(&self, host: usize, command: &Command) -> Command {
        let mut there = Command::new("ip");
        there.args(["netns", "exec", &self.namespace(host)]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => there.env(name, value),
                None => there.env_remove(name),
            };
        }
        there.current_dir(command.get_current_dir().unwrap_or(&self.folder(host))).stdin(Stdio::null());
        there
    }

    /// Cuts these hosts off from the others. Each side still reaches its own hosts and the test.
    pub(crate) fn cut_off(&self, hosts: &[usize]) {
        for host in hosts {
            ip(&format!("-n {} link set port-{host} master bridge-b", self.switch)).unwrap();
            ip(&format!("route replace {}/32 dev {}", self.address(*host), self.our_source("b"))).unwrap();
        }
    }

    /// Connects these hosts with the others again.
    pub(crate) fn heal(&self, hosts: &[usize]) {
        for host in hosts {
            ip(&format!("-n {} link set port-{host} master bridge-a", self.switch)).unwrap();
            ip(&format!("route del {}/32 dev {}", self.address(*host), interface("b"))).unwrap();
        }
    }

    fn our_source(&self, bridge: &str) -> String {
        format!("{} src {}", interface(bridge), self.address(TEST_HOST))
    }

    /// Disconnects a host from the switch. Returns the command of a relay that runs in the switch's namespace and
    /// carries frames between the two: `arguments`, followed by the names of both interfaces.
    pub(crate) fn through_relay(&self, host: usize, arguments: &[&str]) -> Command {
        let switch = &self.switch;
        ip(&format!("-n {switch} link set port-{host} nomaster")).unwrap();
        ip(&format!("-n {switch} link add near type veth peer name far")).unwrap();
        ip(&format!("-n {switch} link set near master bridge-a up")).unwrap();
        ip(&format!("-n {switch} link set far up")).unwrap();
        let mut command = Command::new("ip");
        command.args(["netns", "exec", switch]).args(arguments).args(["far", &format!("port-{host}")]);
        command
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        self.name_server = None;
        for space in (1..=self.hosts).map(|host| self.namespace(host)).chain([self.switch.clone()]) {
            remove(&space);
        }
        for bridge in ["a", "b"] {
            // Removing a namespace removes both ends of its pairs, but not at once.
            let _ = ip(&format!("link del {}", interface(bridge)));
        }
        // Fails if it is not empty, which is right.
        let _ = std::fs::remove_dir(ETC);
    }
}

/// The name of the test's own interface to a bridge.
fn interface(bridge: &str) -> String {
    format!("clab{}{bridge}", std::process::id())
}

/// Kills all processes in a namespace, and removes it.
fn remove(space: &str) {
    for process in ip(&format!("netns pids {space}")).unwrap_or_default().split_whitespace() {
        let _ = run(Command::new("kill").args(["-9", process]));
    }
    let _ = ip(&format!("netns del {space}"));
    let _ = std::fs::remove_dir_all(Path::new(ETC).join(space));
}

/// The namespaces that these tests have made, in this run or an earlier one.
fn namespaces() -> Vec<String> {
    let listed = ip("netns list").unwrap_or_default();
    let names = listed.lines().filter_map(|line| line.split(' ').next());
    names.filter(|name| name.starts_with(PREFIX)).map(str::to_owned).collect()
}

/// Removes the remains of killed runs.
fn sweep() {
    for space in namespaces() {
        let process = space.trim_start_matches(PREFIX).split('-').next().unwrap_or_default();
        if !Path::new("/proc").join(process).exists() {
            remove(&space);
        }
    }
}

/// The namespaces and interfaces of this process that still exist.
pub(crate) fn leftovers() -> Vec<String> {
    let own = format!("{PREFIX}{}", std::process::id());
    let mut left: Vec<_> = namespaces().into_iter().filter(|space| space.starts_with(&own)).collect();
    left.extend(["a", "b"].map(interface).into_iter().filter(|link| Path::new("/sys/class/net").join(link).exists()));
    left
}
