"""`signstream doctor` as it is typed."""

import json
import shutil
from pathlib import Path

from typer.testing import CliRunner

from deploy.cli import commands
from shared.bundles.registry import SHIPPED
from tests.conftest import free_port


def run(*words: str, **settings: str) -> tuple[int, str]:
    result = CliRunner().invoke(
        commands, ["doctor", *words], env={f"SIGNSTREAM_{k}": v for k, v in settings.items()}
    )
    return result.exit_code, result.output


def test_on_a_machine_where_all_is_well_it_ends_with_0() -> None:
    status, out = run(PORT=str(free_port()))
    assert status == 0, out
    assert "model asl-words" in out
    assert "0 failed" in out.splitlines()[-1]


def test_what_has_failed_says_what_to_do_and_ends_with_1() -> None:
    status, out = run(PORT="0", REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    assert status == 1
    (failed,) = [n for n, line in enumerate(out.splitlines()) if line.startswith("failed")]
    assert "->" in out.splitlines()[failed + 1]


def test_as_json_every_failed_finding_has_advice(redis_url: str) -> None:
    status, out = run("--json", PORT="0", REDIS_URL=redis_url)
    told = json.loads(out)
    assert (status, told["ok"]) == (1, False)
    failed = [finding for finding in told["findings"] if finding["status"] == "failed"]
    assert {finding["part"] for finding in failed} == {"keypoints", "recognizers"}
    assert all(finding["advice"] for finding in failed)


def test_a_wrong_setting_is_a_finding_too() -> None:
    status, out = run("--json", UDP_PORTS="many")
    assert status == 1
    assert "50000-50100" in json.loads(out)["findings"][0]["said"]


def test_a_model_that_does_not_load_fails_by_name(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED / "asl-words", tmp_path / "asl-words")
    (tmp_path / "asl-words" / "model.onnx").write_bytes(b"no graph")
    status, out = run("--json", PORT="0", MODELS_FOLDER=str(tmp_path))
    (model,) = [one for one in json.loads(out)["findings"] if one["part"] == "model asl-words"]
    assert (status, model["status"]) == (1, "failed")
    assert "sha256" in model["said"]


def test_it_explains_itself_with_an_example() -> None:
    status, out = run("--help")
    assert status == 0
    assert "Example:" in out


def test_the_parts_it_looks_at_are_documented(redis_url: str) -> None:
    told = (Path(__file__).parents[3] / "docs" / "operations.md").read_text("utf-8")
    _, out = run("--json", PORT="0", REDIS_URL=redis_url)
    for finding in json.loads(out)["findings"]:
        name = finding["part"].removesuffix(" asl-words")
        assert f"`{name}`" in told or f"`{name} …`" in told or name == "relays"
