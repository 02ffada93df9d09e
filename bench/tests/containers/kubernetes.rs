//! Checks the Kubernetes manifests, and the output of `kustomize` where `kubectl` is installed, against the published
//! schemas, which a Python package contains.

use crate::docker::{root, run};
use crate::harness::{NotRun, Outcome};
use std::path::PathBuf;
use std::process::Command;

/// A Python with that package: the one that `.ci/run` sets up, or the system's.
fn python() -> PathBuf {
    let own = root().join("target/kubernetes/bin/python");
    if own.exists() { own } else { PathBuf::from("python3") }
}

pub(crate) async fn manifests() -> Outcome {
    let python = python();
    run(Command::new(&python).args(["-c", "import kubernetes_validate, yaml"])).map_err(|_| {
        NotRun(
            "Python lacks kubernetes-validate; install it with python3 -m pip install kubernetes-validate".to_owned(),
        )
    })?;
    let script = root().join("bench/tests/containers/manifests.py");
    let output = run(Command::new(&python).arg("-B").arg(script).arg(root().join("deploy/kubernetes"))).unwrap();
    output.lines().for_each(|line| println!("  {line}"));
    Ok(())
}
