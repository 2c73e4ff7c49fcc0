"""Files through all stages: by upload and by `signstream recognize`."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from tests.whole import glosses
from tests.whole.server import COMMAND, Server

pytestmark = [pytest.mark.asyncio(loop_scope="package"), pytest.mark.data]

OTHER_CLIPS = (
    "slovo_f17a6060.mp4",
    "msl150_ambulancia.mp4",
    "msl150_doctor.mp4",
    "msl150_dolor.mp4",
    "msl150_hoy.mp4",
    "msl150_yo.mp4",
)
"""Russian and Mexican signs: none is a word of the model."""


async def recognize(*arguments: str) -> tuple[int, str, str]:
    """Runs `signstream recognize`; returns its exit status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "recognize", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 110)
    return process.returncode or 0, out.decode(), err.decode()


async def test_an_uploaded_hello_hello_is_two_hellos(http: aiohttp.ClientSession, data_path: Path) -> None:
    session = await glosses.upload(http, data_path / "videos" / "asl_hello_x2.mp4")
    told = await glosses.events(http, session)
    assert glosses.words(told) == ["hello", "hello"]
    assert (told[-1]["type"], told[-1]["state"]) == ("session", "ended")
    async with http.get(f"/sessions/{session}/transcript", headers={"Accept": "text/plain"}) as answer:
        assert await answer.text() == "hello hello\n"


async def test_recognize_prints_what_the_upload_tells(
    server: Server, http: aiohttp.ClientSession, data_path: Path
) -> None:
    video = data_path / "videos" / "asl_hello_x2.mp4"
    uploaded = await glosses.events(http, await glosses.upload(http, video))
    status, out, _ = await recognize(str(video), "--json", "--server", server.url)
    printed = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert glosses.words(printed) == glosses.words(uploaded)
    assert glosses.spans(printed) == pytest.approx(glosses.spans(uploaded), abs=0.02)
    assert {event["type"] for event in printed} == {"gloss"}


async def test_recognize_starts_its_own_stages(data_path: Path) -> None:
    status, out, _ = await recognize(str(data_path / "videos" / "asl_hello_x2.mp4"))
    assert status == 0
    assert [line.split()[5] for line in out.splitlines()] == ["hello", "hello"]


async def test_a_sentence_is_told_beside_its_words(http: aiohttp.ClientSession, data_path: Path) -> None:
    """Two models at once: one isolated, one continuous."""
    video = data_path / "videos" / "asl_hello_x2.mp4"
    told = await glosses.events(http, await glosses.upload(http, video, models="asl-words,asl-sentences"))
    by_model = {
        model: [event for event in glosses.finals(told) if event["model"] == model]
        for model in ("asl-words", "asl-sentences")
    }
    for model, task in (("asl-words", "isolated"), ("asl-sentences", "continuous")):
        assert [event["gloss"] for event in by_model[model]] == ["hello", "hello"]
        assert {event["task"] for event in by_model[model]} == {task}
    for word, symbol in zip(*by_model.values(), strict=True):
        assert word["start"] <= (symbol["start"] + symbol["end"]) / 2 <= word["end"]


@pytest.mark.parametrize("clip", OTHER_CLIPS)
async def test_signs_of_other_languages_are_no_stream_of_wrong_words(
    http: aiohttp.ClientSession, data_path: Path, clip: str
) -> None:
    told = await glosses.events(http, await glosses.upload(http, data_path / "videos" / clip))
    assert told[-1]["state"] == "ended"
    assert len(glosses.finals(told)) <= 1
