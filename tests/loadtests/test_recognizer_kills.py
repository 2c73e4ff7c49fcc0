"""The load test itself, short: two kills amid two thousand windows."""

from loadtests.recognizer_kills import run


async def test_recognizers_killed_amid_their_work_lose_and_double_nothing() -> None:
    outcome = await run(2000, seed=3, kills=2)
    assert outcome.kills == 2
    assert outcome.windows == 2000
    assert outcome.is_clean, outcome
