"""The images, as far as they can be looked at without building one."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.main import get_command

from deploy.cli import commands
from shared.settings import PREFIX, Settings
from tests.conftest import ROOT
from tests.deploy.dockerfile import FILE, last, targets

TARGETS = ("gateway", "keypoints", "recognizers", "all")


def test_hadolint_finds_nothing() -> None:
    said = subprocess.run([Path(sys.executable).parent / "hadolint", FILE], capture_output=True, check=False)
    assert said.returncode == 0, said.stdout.decode()


def test_everything_copied_is_there_and_reaches_the_builder() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for one in targets()["built"]:
        if one.is_copied_from_here:
            for source in one.rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source in kept, source


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_runs_its_command_as_nobody_in_particular(name: str) -> None:
    instructions = targets()[name]
    assert last(instructions, "ENTRYPOINT").listed == ["signstream"]
    assert last(instructions, "USER").rest == "10001:10001"
    command = last(instructions, "CMD").listed
    assert command[0] in get_command(commands).commands  # type: ignore[attr-defined]
    assert command[0] == {"all": "up"}.get(name, name)


def test_what_the_images_set_is_known() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    set_here = {
        word.partition("=")[0] for one in targets()["all"] if one.word == "ENV" for word in one.rest.split()
    }
    assert {name for name in set_here if name.startswith(PREFIX)} <= known


def test_the_health_check_asks_the_port_that_the_image_sets() -> None:
    instructions = targets()["gateway"]
    [port] = [
        word.partition("=")[2]
        for one in instructions
        if one.word == "ENV"
        for word in one.rest.split()
        if word.startswith("SIGNSTREAM_METRICS_PORT=")
    ]
    assert f":{port}/readyz" in last(instructions, "HEALTHCHECK").rest
    assert f"{port}/tcp" in [one.rest for one in instructions if one.word == "EXPOSE"]


def test_the_installed_project_has_what_it_reads_beside_its_code(tmp_path: Path) -> None:
    """The image's last `pip install`, into a wheel: nothing else is installed than what it holds."""
    source = tmp_path / "source"
    source.mkdir()
    for one in targets()["built"]:
        if one.is_copied_from_here:
            *names, there = one.rest.split()
            for name in names:
                if (ROOT / name).is_dir():
                    ignore = shutil.ignore_patterns("__pycache__")
                    shutil.copytree(ROOT / name, source / there, ignore=ignore, dirs_exist_ok=True)
                else:
                    shutil.copy(ROOT / name, source)
    words = [
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        str(tmp_path),
    ]
    subprocess.check_call([sys.executable, "-m", "pip", *words, "--wheel-dir", tmp_path, source])
    [wheel] = tmp_path.glob("signstream-*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    read = {path for folder in ("gateway/static", "shared/models") for path in (ROOT / folder).rglob("*")}
    read |= set((ROOT / "shared" / "bundles" / "presets").glob("*.toml"))
    wanted = {str(path.relative_to(ROOT)) for path in read if path.is_file()} | {"deploy/redis/users.acl"}
    assert wanted <= inside, wanted - inside
