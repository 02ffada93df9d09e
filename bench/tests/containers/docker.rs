//! Docker: running its commands, and cleaning up.

use crate::harness::NotRun;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Prefix of the names of everything that this process makes.
pub(crate) fn prefix() -> String {
    format!("chainlab-test-{}", std::process::id())
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Runs a command; returns its output, or its errors if it fails.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let printed = [output.stdout, output.stderr].concat();
    Err(format!("{command:?} ended with {}: {}", output.status, String::from_utf8_lossy(&printed).trim()))
}

/// Runs `docker` with these arguments.
pub(crate) fn docker(words: &[&str]) -> Result<String, String> {
    run(Command::new("docker").args(words))
}

/// The command that reads compose.yaml: the plugin `docker compose`, or the older `docker-compose`.
pub(crate) fn compose() -> Result<Command, NotRun> {
    docker(&["version"]).map_err(|_| NotRun("no Docker engine answers here".to_owned()))?;
    if docker(&["compose", "version"]).is_ok() {
        let mut command = Command::new("docker");
        command.arg("compose");
        return Ok(command);
    }
    let command = Command::new("docker-compose");
    match run(Command::new("docker-compose").arg("version")) {
        Ok(_) => Ok(command),
        Err(_) => Err(NotRun("neither docker compose nor docker-compose is here".to_owned())),
    }
}

/// A field of a container's record, such as `.State.ExitCode`.
pub(crate) fn inspect(container: &str, place: &str) -> Result<String, String> {
    docker(&["inspect", "--format", &format!("{{{{{place}}}}}"), container])
}

/// The image of the current programs; it is removed when this is dropped.
pub(crate) struct Image(pub(crate) String);

impl Image {
    pub(crate) fn pack() -> Result<Self, NotRun> {
        docker(&["version"]).map_err(|_| NotRun("no Docker engine answers here".to_owned()))?;
        let image = Self(prefix());
        run(Command::new(root().join("deploy/pack")).args([&image.0, "dev"])).unwrap();
        Ok(image)
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // It may not exist.
        let _ = docker(&["rmi", "--force", &self.0]);
    }
}

/// What this process has made and not removed.
pub(crate) fn leftovers() -> Vec<String> {
    let lists: [&[&str]; 4] = [
        &["ps", "--all", "--format", "container {{.NameServer}}"],
        &["volume", "ls", "--format", "volume {{.Name}}"],
        &["network", "ls", "--format", "network {{.Name}}"],
        &["images", "--format", "image {{.Repository}}"],
    ];
    let ours = prefix();
    // Without a Docker engine there is nothing to list.
    let all = lists.iter().filter_map(|list| docker(list).ok()).collect::<Vec<_>>().join("\n");
    all.lines().filter(|line| line.contains(&ours)).map(str::to_owned).collect()
}
