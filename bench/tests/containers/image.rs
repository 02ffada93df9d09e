//! Each service alone in a container of the image: its user, its health and its exit code.

use crate::docker::{Image, docker, inspect, prefix};
use crate::harness::Outcome;
use testkit::{DEADLINE, until_ok};

/// A container; it is removed when this is dropped.
struct Container(String);

impl Container {
    /// Runs a program of the image that may write only to its data folder.
    fn run(image: &Image, program: &str) -> Self {
        let name = format!("{}-{program}", prefix());
        let container = Self(name.clone());
        let mut words = vec!["run", "--detach", "--name", &name, "--read-only", "--cap-drop", "ALL"];
        words.extend(["--tmpfs", "/data:uid=10001", "--health-interval", "1s", &image.0, program]);
        docker(&words).unwrap();
        container
    }

    async fn is_healthy(&self) {
        until_ok(&format!("{} is healthy", self.0), DEADLINE, async || {
            match inspect(&self.0, ".State.Health.Status")?.as_str() {
                "healthy" => Ok(()),
                other => Err(format!("it is {other}: {}", docker(&["logs", &self.0])?)),
            }
        })
        .await;
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("-- the log of {}:\n{}", self.0, docker(&["logs", &self.0]).unwrap_or_default());
        }
        let _ = docker(&["rm", "--force", "--volumes", &self.0]);
    }
}

pub(crate) async fn programs() -> Outcome {
    let image = Image::pack()?;
    assert_eq!(inspect(&image.0, ".Config.User").unwrap(), "10001:10001", "programs must not run as root");
    docker(&["run", "--rm", &image.0, "sh"]).expect_err("the image must have no shell");
    for program in ["tracker", "node", "mempool", "explorer"] {
        let container = Container::run(&image, program);
        container.is_healthy().await;
        let output = docker(&["exec", &container.0, "user", "health", "--running"]).unwrap();
        assert!(output.starts_with(&format!("{program} runs at 127.0.0.1:")), "{output}");
        // Docker kills a container that does not end within 10 s; its exit code is then 137.
        docker(&["stop", &container.0]).unwrap();
        assert_eq!(inspect(&container.0, ".State.ExitCode").unwrap(), "0", "{program}");
    }
    Ok(())
}
