"""Every overlay against Kubernetes' schemas, KEDA's, the restricted profile, and our code."""

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from deploy import credentials
from shared.grace import GRACE_SECONDS
from shared.settings import FILE_SUFFIX, PREFIX, Settings
from tests.conftest import ROOT
from tests.deploy import dockerfile

FOLDER = ROOT / "deploy" / "kubernetes"
OVERLAYS = ("local", "production", "kafka")
VERSIONS = ("1.29", "1.32")
STAGES = ("gateway", "keypoints", "recognizers")

Object = dict[str, Any]

TEXT = {"type": "string", "minLength": 1}
NUMBER_AS_TEXT = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}

SCALED_OBJECT = {
    # The fields used, after github.com/kedacore/keda (2.12), config/crd/bases/keda.sh_scaledobjects.yaml;
    # the trigger's own after keda.sh/docs/2.12/scalers/prometheus: all values of its metadata are texts.
    "type": "object",
    "additionalProperties": False,
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "keda.sh/v1alpha1"},
        "kind": {"const": "ScaledObject"},
        "metadata": {"type": "object", "required": ["name", "namespace"]},
        "spec": {
            "type": "object",
            "additionalProperties": False,
            "required": ["scaleTargetRef", "triggers"],
            "properties": {
                "scaleTargetRef": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["name"],
                    "properties": {"name": TEXT},
                },
                "minReplicaCount": {"type": "integer", "minimum": 0},
                "maxReplicaCount": {"type": "integer", "minimum": 1},
                "pollingInterval": {"type": "integer", "minimum": 1},
                "advanced": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "horizontalPodAutoscalerConfig": {
                            "type": "object",
                            "additionalProperties": False,
                            "properties": {"behavior": {"type": "object"}},
                        }
                    },
                },
                "triggers": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["type", "metadata"],
                        "properties": {
                            "type": {"const": "prometheus"},
                            "name": TEXT,
                            "metricType": {"enum": ["AverageValue", "Value"]},
                            "metadata": {
                                "type": "object",
                                "additionalProperties": False,
                                "required": ["serverAddress", "query", "threshold"],
                                "properties": {
                                    "serverAddress": {"type": "string", "pattern": "^https?://"},
                                    "query": TEXT,
                                    "threshold": NUMBER_AS_TEXT,
                                    "activationThreshold": NUMBER_AS_TEXT,
                                    "ignoreNullValues": {"enum": ["true", "false"]},
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


@cache
def rendered(folder: Path) -> tuple[Object, ...]:
    """Skips where there is no kubectl."""
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl: Debian's is too old; see kubernetes.io/docs/tasks/tools")
    return tuple(yaml.safe_load_all(subprocess.check_output(["kubectl", "kustomize", folder])))


def overlay(name: str) -> tuple[Object, ...]:
    """What `kubectl apply -k` would apply."""
    return rendered(FOLDER / "overlays" / name)


def of_kind(objects: tuple[Object, ...], *kinds: str) -> dict[str, Object]:
    """Those of these kinds by their names."""
    return {one["metadata"]["name"]: one for one in objects if one["kind"] in kinds}


def pods(objects: tuple[Object, ...]) -> Iterator[tuple[str, Object]]:
    """Every pod's name and specification."""
    for name, one in of_kind(objects, "Deployment", "StatefulSet").items():
        yield name, one["spec"]["template"]["spec"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_what_kubernetes_allows(name: str, version: str) -> None:
    for one in overlay(name):
        if one["kind"] != "ScaledObject":
            kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("name", ["production", "kafka"])
def test_the_scaled_objects_are_what_keda_allows_and_name_deployments(name: str) -> None:
    objects = overlay(name)
    deployments, scaled = of_kind(objects, "Deployment"), of_kind(objects, "ScaledObject")
    assert set(scaled) == set(STAGES)
    for one in scaled.values():
        jsonschema.validate(one, SCALED_OBJECT)
        assert "replicas" not in deployments[one["spec"]["scaleTargetRef"]["name"]]["spec"]
        for trigger in one["spec"]["triggers"]:
            # The traps of deploy/kubernetes/components/autoscaling/scaledobjects.yaml.
            assert trigger["metadata"]["ignoreNullValues"] == "false"
            assert trigger["metadata"]["activationThreshold"] == "0"
            assert "histogram_quantile" not in trigger["metadata"]["query"] or trigger["metadata"][
                "query"
            ].endswith(">= 0 or vector(0)")
        assert one["spec"]["minReplicaCount"] >= 1


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_pod_keeps_to_the_restricted_profile(name: str) -> None:
    """kubernetes.io/docs/concepts/security/pod-security-standards, Restricted."""
    objects = overlay(name)
    assert (
        of_kind(objects, "Namespace")["signstream"]["metadata"]["labels"][
            "pod-security.kubernetes.io/enforce"
        ]
        == "restricted"
    )
    for _, pod in pods(objects):
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert all({"emptyDir", "secret", "configMap"} & volume.keys() for volume in pod["volumes"])
        for container in pod["containers"]:
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False
            assert own["readOnlyRootFilesystem"] is True
            assert own["capabilities"]["drop"] == ["ALL"]
            assert set(own["capabilities"].get("add", [])) <= {"NET_BIND_SERVICE"}
            assert all("hostPort" not in port for port in container["ports"])
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_stages_are_run_as_their_images_run_them(name: str) -> None:
    """Commands, ports, probes and settings of the manifests against the Dockerfile and the settings."""
    objects = overlay(name)
    settings = next(
        one["data"]
        for one in objects
        if one["kind"] == "ConfigMap" and one["metadata"]["name"].startswith("signstream-settings")
    )
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    for stage, pod in pods(objects):
        if stage not in STAGES:
            continue
        [container] = pod["containers"]
        instructions = dockerfile.targets()[stage]
        exposed = {int(one.rest.partition("/")[0]) for one in instructions if one.word == "EXPOSE"}
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert set(ports.values()) == exposed
        assert str(ports["metrics"]) == settings["SIGNSTREAM_METRICS_PORT"]
        assert container["args"] == dockerfile.last(instructions, "CMD").listed
        assert container["image"].rpartition(":")[0].endswith(f"signstream-{stage}")
        given = {*settings, *(one["name"] for one in container.get("env", []))}
        assert {one.removesuffix(FILE_SUFFIX) for one in given} <= known
        for probe, path in (("startup", "/healthz"), ("liveness", "/healthz"), ("readiness", "/readyz")):
            asked = container[f"{probe}Probe"]["httpGet"]
            assert (asked["path"], asked["port"]) == (path, "metrics")
        assert pod["terminationGracePeriodSeconds"] > GRACE_SECONDS[stage]  # type: ignore[index]


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_secret_is_one_that_the_command_makes(name: str, tmp_path: Path) -> None:
    credentials.make(tmp_path, "redis", "/secrets")
    made = {
        f"signstream-{folder.name}": {file.name for file in folder.iterdir()} for folder in tmp_path.iterdir()
    }
    objects = overlay(name)
    settings = next(one["data"] for one in objects if "SIGNSTREAM_MODELS" in one.get("data", {}))
    for stage, pod in pods(objects):
        [container] = pod["containers"]
        [secret] = [volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume]
        words = [*container["args"], *(str(one.get("value")) for one in container.get("env", []))]
        words += settings.values() if stage in STAGES else []
        files = {word.removeprefix("/secrets/") for word in words if word.startswith("/secrets/")}
        assert files <= made[secret], (stage, secret)
        assert secret == f"signstream-{stage}"


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_selector_finds_a_pod(name: str) -> None:
    objects = overlay(name)
    labels = {stage for stage, _ in pods(objects)}
    for one in of_kind(objects, "Service").values():
        assert one["spec"]["selector"]["app.kubernetes.io/component"] in labels
    for one in of_kind(objects, "PodDisruptionBudget").values():
        assert one["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"] in labels
    assert {"nothing", *STAGES[:1], "stages"} <= of_kind(objects, "NetworkPolicy").keys()


def test_the_redis_of_the_trial_is_configured_as_the_compositions() -> None:
    shipped = (ROOT / "deploy" / "redis" / "redis.conf").read_text()
    assert (FOLDER / "components" / "redis" / "redis.conf").read_text() == shipped


def test_host_ports_are_the_ones_that_the_gateway_uses(tmp_path: Path) -> None:
    """The component for media without a relay, which no overlay of ours has."""
    inside = tmp_path / "kubernetes"
    shutil.copytree(FOLDER, inside)
    overlay_file = inside / "overlays" / "local" / "kustomization.yaml"
    text = overlay_file.read_text().replace("../../components/coturn]", "../../components/media-hostport]")
    overlay_file.write_text(text)
    objects = rendered(overlay_file.parent)
    for one in objects:
        kubernetes_validate.validate(one, VERSIONS[-1], strict=True)
    [container] = dict(pods(objects))["gateway"]["containers"]
    environment = {one["name"]: one.get("value") for one in container["env"]}
    settings = Settings(udp_ports=environment["SIGNSTREAM_UDP_PORTS"])
    assert settings.udp_port_range is not None
    ports = [port["hostPort"] for port in container["ports"] if "hostPort" in port]
    assert ports == list(settings.udp_port_range)
    assert len(ports) == int(environment["SIGNSTREAM_CAMERAS_PER_GATEWAY"])
    enforced = of_kind(objects, "Namespace")["signstream"]["metadata"]["labels"]
    assert enforced["pod-security.kubernetes.io/enforce"] == "privileged"
