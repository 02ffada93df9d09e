"""Checks a folder of manifests: every file that kustomization.yaml lists exists and follows the Kubernetes schemas, and
every reference from one manifest to another is right. Prints what it checked; a failed assertion names the fault."""

import pathlib
import shutil
import subprocess
import sys

import kubernetes_validate
import yaml


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def check(document, origin):
    # The newest schemas in the package. Strict, so that a misspelt field is an error.
    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    name = f"{document['kind']} {document['metadata']['name']}"
    assert document["kind"] == "Namespace" or document["metadata"].get("namespace", "chainlab") == "chainlab", name
    return f"{name} ({origin})"


def pod_of(document):
    return document.get("spec", {}).get("template")


def check_pod(pod, settings):
    spec = pod["spec"]
    assert spec["securityContext"]["runAsNonRoot"], pod
    for container in spec["containers"]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"], container["name"]
        assert container["resources"]["limits"].keys() >= {"cpu", "memory"}, container["name"]
        for source in container.get("envFrom", []):
            assert source["configMapRef"]["name"] in settings, source
        probes = container.keys() & {"startupProbe", "readinessProbe", "livenessProbe"}
        assert len(probes) == (3 if "ports" in container else 0), container["name"]


def check_services(all_documents):
    pods = [pod_of(document) for document in all_documents if pod_of(document)]
    for service in (document for document in all_documents if document["kind"] == "Service"):
        selector = service["spec"]["selector"].items()
        chosen = [pod for pod in pods if selector <= pod["metadata"]["labels"].items()]
        assert len(chosen) == 1, f"service {service['metadata']['name']} chooses {len(chosen)} kinds of pods"
        ports = {port["name"]: port["containerPort"] for port in chosen[0]["spec"]["containers"][0]["ports"]}
        for port in service["spec"]["ports"]:
            assert ports[port["targetPort"]] == port["port"], service["metadata"]["name"]
    services = {document["metadata"]["name"] for document in all_documents if document["kind"] == "Service"}
    for document in all_documents:
        if document["kind"] == "StatefulSet":
            assert document["spec"]["serviceName"] in services, document["metadata"]["name"]


def check_job(all_documents):
    """The shards of the experiment: as many as its command says, and each writes into the shared volume."""
    job = next(document for document in all_documents if document["kind"] == "Job")["spec"]
    arguments = job["template"]["spec"]["containers"][0]["args"]
    shard = arguments[arguments.index("--shard") + 1]
    assert shard == f"$(JOB_COMPLETION_INDEX)/{job['completions']}", shard
    assert job["completionMode"] == "Indexed" and job["parallelism"] <= job["completions"]
    claims = {document["metadata"]["name"] for document in all_documents if document["kind"] == "PersistentVolumeClaim"}
    volumes = [volume["persistentVolumeClaim"]["claimName"] for volume in job["template"]["spec"]["volumes"][1:]]
    assert set(volumes) <= claims, volumes


# Applied alone, when somebody has an experiment.
ALONE = {"laboratory.yaml"}


def main(folder):
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    listed = kustomization["resources"]
    there = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed) == there - ALONE, f"listed: {listed}, there: {sorted(there)}"
    settings = {generator["name"] for generator in kustomization["configMapGenerator"]}
    checked, everything = [], []
    for name in [*listed, *sorted(ALONE)]:
        for document in documents((folder / name).read_text()):
            checked.append(check(document, name))
            everything.append(document)
    for pod in filter(None, map(pod_of, everything)):
        check_pod(pod, settings)
    check_services(everything)
    check_job(everything)
    if shutil.which("kubectl"):
        made = subprocess.run(["kubectl", "kustomize", folder], check=True, capture_output=True, text=True).stdout
        checked += [check(document, "made by kustomize") for document in documents(made)]
    else:
        print("the output of kustomize: not checked, because kubectl is not installed")
    print(f"{len(checked)} manifests follow the schemas of Kubernetes {kubernetes_validate.latest_version()}")


main(pathlib.Path(sys.argv[1]))
