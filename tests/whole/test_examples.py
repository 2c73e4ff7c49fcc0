"""What lies in docs/examples/, as it is; its page is tried by tests/pages/shell/test_documented_page.py."""

import asyncio
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from deploy.cli import commands
from shared.bundles import load_bundle
from tests.conftest import ROOT, free_port
from tests.shared.faust_redis.conftest import until
from tests.whole.server import Server
from tests.workers.recognizers.presets.conftest import landmark_window
from tests.workers.recognizers.test_kafka import kafka
from workers.recognizers.graphs import Recognizer

EXAMPLES = ROOT / "docs" / "examples"

FILES = {
    "captions.py",
    "captions.html",
    "glosses_agent.py",
    "scikit_learn_bundle.py",
    "scikit_learn_bundle.toml",
}
FILES |= {"first_gloss.sh"}


def example(name: str) -> ModuleType:
    """The module of that name."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_known_here() -> None:
    assert {file.name for file in EXAMPLES.iterdir() if file.is_file()} == FILES


async def counted(agent: ModuleType, broker: str, server: str, session: str) -> None:
    """Two hellos, forwarded and counted over this broker."""
    app, topic, counts = agent.make_app(broker)
    await app.start()
    try:
        await agent.forward(server, session, topic)
        await until(lambda: counts.total() == 2, 60)
    finally:
        await app.stop()
    assert counts == {"hello": 2}


@pytest.mark.data
@pytest.mark.asyncio(loop_scope="package")
async def test_captions_are_printed_and_counted_over_redis_and_kafka(
    server: Server,
    data_path: Path,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    captions, agent = example("captions"), example("glosses_agent")
    clip = data_path / "videos" / "asl_hello_x2.mp4"
    session = await asyncio.to_thread(captions.upload, server.url, clip)
    monkeypatch.setattr(sys, "argv", ["captions.py", "--session", session, "--server", server.url])
    await asyncio.to_thread(captions.main)
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()] == ["hello", "hello"]
    with kafka(agent.TOPIC) as kafka_url:
        for broker in (redis_url, kafka_url):
            await counted(agent, broker, server.url, session)


@pytest.mark.parametrize("words", [[], ["a.mp4", "--session", "x"]])
def test_captions_say_what_is_needed(words: list[str]) -> None:
    command = [sys.executable, str(EXAMPLES / "captions.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "either a video or --session is needed" in done.stderr


def test_captions_of_nobody_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr(sys, "argv", ["captions.py", str(EXAMPLES / "captions.html"), "--server", nobody])
    with pytest.raises(SystemExit, match=r"captions.html: .*refused"):
        example("captions").main()


def moving(up: float, samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """[samples, 543, 3]: a right hand that rises (`up` 1), falls (-1) or stays (0), and shoulders."""
    frames = np.full((samples, 543, 3), np.nan, np.float32)
    frames[:, 500], frames[:, 501] = (0.6, 0.5, 0), (0.4, 0.5, 0)
    way = np.linspace(0, 1, samples)
    hand = np.stack([np.full(samples, 0.4), 0.6 - 0.25 * up * way, np.zeros(samples)], -1)
    frames[:, 522:543] = hand[:, None] + rng.normal(0, 0.005, (1, 21, 3))
    return frames


def test_a_scikit_learn_model_becomes_a_bundle_that_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(3)
    signs = {"up": 1.0, "down": -1.0, "stay": 0.0}
    for name, way in signs.items():
        (tmp_path / "clips" / name).mkdir(parents=True)
        for number in range(6):
            np.save(tmp_path / "clips" / name / f"{number}.npy", moving(way, 18 + number, rng))
    script = EXAMPLES / "scikit_learn_bundle.py"
    assert len(script.read_text("utf-8").splitlines()) < 60
    command = [sys.executable, str(script), str(tmp_path / "clips"), str(tmp_path / "my-signs")]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    monkeypatch.setenv("SIGNSTREAM_MODELS_FOLDER", str(tmp_path / "models"))
    added = CliRunner().invoke(commands, ["models", "add", "my-signs", str(tmp_path / "my-signs")])
    assert added.exit_code == 0, added.output
    bundle = load_bundle(tmp_path / "models" / "my-signs")
    recognizer = Recognizer(bundle)
    for name, way in signs.items():
        window = landmark_window(bundle, moving(way, 20, rng))
        assert recognizer.recognize(window)[0][0] == name
