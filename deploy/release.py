"""`make release`: wheel, sdist and SBOM in dist/; the wheel is looked at, and run outside of the checkout.

What is built is what is committed, and MediaPipe for browsers where `make browser-landmarks` has brought it.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

PACKAGES = ("deploy", "gateway", "shared", "training", "workers")
"""What a wheel holds, whole."""

BROWSER_LANDMARKS = Path("gateway/static/holistic/assets")
"""Not committed; in a wheel that was built where it lies."""

BUILD = "from setuptools import build_meta as b; b.build_wheel({out!r}); b.build_sdist({out!r})"

WHEEL_ONLY = "from setuptools import build_meta as b; b.build_wheel({out!r})"


class ReleaseError(RuntimeError):
    """What is wrong with what was built, in a sentence."""


def run(*command: str | Path, **options: object) -> str:
    """Standard output of a command. Raises ReleaseError with all it said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        words = " ".join(map(str, command))
        raise ReleaseError(f"`{words}` ends with {done.returncode}: {done.stdout}{done.stderr}")
    return str(done.stdout)


def version_of(tree: Path) -> str:
    """The one place it stands in."""
    project = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])


def export(checkout: Path, tree: Path) -> None:
    """What is committed of the checkout, into the empty folder `tree`."""
    archive = tree.parent / "tree.tar"
    run("git", "-C", checkout, "archive", "--output", archive, "HEAD")
    with tarfile.open(archive) as packed:
        packed.extractall(tree, filter="data")
    if (checkout / BROWSER_LANDMARKS).is_dir():
        shutil.copytree(checkout / BROWSER_LANDMARKS, tree / BROWSER_LANDMARKS)


def build(tree: Path, out: Path, *, sdist: bool = True) -> Path:
    """Builds in `tree`, with the setuptools of this environment; returns the wheel's path."""
    out.mkdir(parents=True, exist_ok=True)
    run(sys.executable, "-c", (BUILD if sdist else WHEEL_ONLY).format(out=str(out.resolve())), cwd=tree)
    return out / f"signstream-{version_of(tree)}-py3-none-any.whl"


def wanted(files: Iterable[Path]) -> set[str]:
    """Of a tree's files, relative to it, those that a wheel must hold."""
    return {
        file.as_posix() for file in files if file.parts[0] in PACKAGES and "__pycache__" not in file.parts
    }


def files_in(tree: Path) -> set[str]:
    """What a wheel of this tree must hold."""
    return wanted(
        file.relative_to(tree) for name in PACKAGES for file in (tree / name).rglob("*") if file.is_file()
    )


def check(wheel: Path, files: set[str]) -> None:
    """Raises ReleaseError where the wheel holds less than these files, or more."""
    with zipfile.ZipFile(wheel) as packed:
        held = {name for name in packed.namelist() if not name.endswith("/")}
    about = {name for name in held if name.split("/")[0].endswith(".dist-info")}
    missing, surplus = sorted(files - held), sorted(held - about - files)
    if missing or surplus:
        raise ReleaseError(
            f"{wheel.name} lacks {missing or 'nothing'} and has {surplus or 'nothing'} besides"
        )


def try_out(wheel: Path, lock: Path, clip: Path | None) -> None:
    """Installs it with the lock into an environment of its own, and runs it outside of the checkout."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        run(sys.executable, "-m", "venv", home / "venv")
        pip: Sequence[str | Path] = (
            home / "venv/bin/pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        )
        print("installing what the lock names (about 1 GB)", flush=True)
        run(*pip, "--no-deps", "--require-hashes", "-r", lock)
        run(*pip, "--no-deps", wheel)
        hidden = ("PYTHON", "SIGNSTREAM_", "VIRTUAL_ENV")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        own = {"env": {**kept, "HOME": folder}, "cwd": folder}
        signstream = home / "venv/bin/signstream"
        for words in (["--help"], ["models", "list"], ["doctor"]):
            run(signstream, *words, **own)
            print(f"signstream {' '.join(words)}: well", flush=True)
        if clip is None:
            print("no recording to recognise: name one with --clip", flush=True)
            return
        shutil.copy(clip, home / "clip.mp4")
        said = run(signstream, "recognize", "clip.mp4", **own)
        if not said.strip():
            raise ReleaseError(f"no gloss came of {clip.name}")
        print(f"signstream recognize: {' '.join(said.split())}", flush=True)


def recording() -> Path | None:
    """HELLO, twice, where the recordings are."""
    folder = Path(os.environ.get("SIGNSTREAM_DATA") or Path.cwd().parent / "shared" / "data")
    clip = folder / "videos" / "asl_hello_x2.mp4"
    return clip.resolve() if clip.is_file() else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("dist"))
    parser.add_argument("--sbom", type=Path, default=Path("build/sbom.json"), help="As `make sbom` wrote it.")
    parser.add_argument("--clip", type=Path, default=recording(), help="A video with a sign in it.")
    arguments = parser.parse_args()
    checkout, out = Path.cwd(), arguments.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        export(checkout, tree)
        files = files_in(tree)  # before it is built in
        wheel = build(tree, out)
        check(wheel, files)
        print(f"{wheel.name} holds all {len(files)} files of the packages", flush=True)
        shutil.copy(arguments.sbom, out / f"signstream-{version_of(tree)}.cdx.json")
        try_out(wheel, tree / "requirements.lock", arguments.clip)
    for file in sorted(out.iterdir()):
        print(f"{file}: {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    try:
        main()
    except (ReleaseError, OSError) as error:
        sys.exit(f"release: {error}")
