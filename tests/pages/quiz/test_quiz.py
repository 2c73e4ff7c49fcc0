"""The quiz asks chosen signs, and keeps what is known in this browser."""

import json
from typing import Any

import pytest

from tests.pages.conftest import Visit

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.data]


async def asked_sign(visit: Visit) -> str:
    """The right answer, as a person finds out: by a wrong one, if need be."""
    await visit.page.wait_for_selector("#answers button:enabled")
    await visit.page.keyboard.press("1")
    await visit.page.wait_for_selector("#answers button[data-right=true]")
    return await visit.page.inner_text("#answers button[data-right=true]")


async def kept(visit: Visit) -> Any:
    text = await visit.page.evaluate("localStorage.getItem('signstream.quiz.progress')")
    return json.loads(text) if text else None


async def test_answers_move_signs_between_boxes_and_outlive_the_page(reader: Visit) -> None:
    page = await reader.open("/quiz/", ready="#answers button")
    sign = await asked_sign(reader)
    first = (await kept(reader))["asl-words"][sign]
    right = "Right" in await page.inner_text("#state")
    assert first == {"box": int(right), "right": int(right), "wrong": int(not right)}
    assert await reader.violations() == []
    await reader.open("/quiz/", ready="#answers button")
    label = page.locator("#signs li", has=page.locator(f"input[value='{sign}']"))
    assert f"step {1 + right} of 5" in await label.inner_text()


async def test_only_chosen_signs_are_asked(reader: Visit) -> None:
    page = await reader.open("/quiz/", ready="#answers button")
    await page.click("#none")
    assert await page.inner_text("#state") == "Choose at least one sign to be asked."
    await page.check("#signs input[value=water]")
    await page.check("#signs input[value=tea]")
    told = []
    for _ in range(4):
        told.append(await asked_sign(reader))
        await page.click("#next")
    assert told in (["water", "tea"] * 2, ["tea", "water"] * 2)
    await reader.open("/quiz/", ready="#answers button")
    assert await page.locator("#signs input:checked").count() == 2


async def test_progress_can_be_saved_and_forgotten(reader: Visit) -> None:
    page = await reader.open("/quiz/", ready="#answers button")
    sign = await asked_sign(reader)
    async with page.expect_download() as downloading:
        await page.click("#export")
    download = await downloading.value
    assert download.suggested_filename == "signstream-quiz.json"
    with open(await download.path(), encoding="utf-8") as file:
        assert sign in json.load(file)["asl-words"]
    page.on("dialog", lambda dialog: dialog.accept())
    await page.click("#clear")
    await page.wait_for_selector(".toast")
    assert await kept(reader) is None


PROGRESS = """
async (kept) => {
  const {readProgress, answered, knownOf, question} = await import('/quiz/progress.js');
  const read = readProgress(kept);
  let seed = 1;
  const chance = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  let progress = read;
  for (let n = 0; n < 6; n += 1) progress = answered(progress, 'm', 'a', true);
  const known = knownOf(progress, 'm', 'a');
  const counts = {a: 0, b: 0};
  const all = ['a', 'b', 'c'];
  for (let n = 0; n < 500; n += 1) counts[question(all, all, progress, 'm', 'c', chance).sign] += 1;
  const {answers} = question(['a'], ['a', 'b', 'c', 'd', 'e'], {}, 'm', 'a', chance);
  const distinct = new Set(answers).size;
  return {read, known, counts, answers: answers.length, distinct, has: answers.includes('a')};
}
"""


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", {}),
        ("no json", {}),
        ("[1]", {}),
        (
            '{"m": {"z": {"box": 1, "right": 2, "wrong": 3}}}',
            {"m": {"z": {"box": 1, "right": 2, "wrong": 3}}},
        ),
        (
            '{"m": {"z": {"box": 99, "right": 2, "wrong": 0}}}',
            {"m": {"z": {"box": 4, "right": 2, "wrong": 0}}},
        ),
        ('{"m": {"z": {"box": "<img>", "right": 2, "wrong": 0}, "y": null}, "n": 3}', {}),
    ],
)
async def test_what_is_known_is_asked_less_and_what_was_kept_badly_is_left(
    reader: Visit, text: str, read: dict[str, Any]
) -> None:
    page = await reader.open("/quiz/")
    told = await page.evaluate(PROGRESS, text)
    assert told["read"] == read
    assert told["known"] == {"box": 4, "right": 6, "wrong": 0}
    assert 8 < told["counts"]["b"] / told["counts"]["a"] < 32
    assert (told["answers"], told["distinct"], told["has"]) == (4, 4, True)
