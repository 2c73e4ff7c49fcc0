"""What `python -m loadtests.wrong_tokens` sends, and how it reads its figures."""

import dataclasses

import pytest

from gateway.tokens import Key, TokenError, Tokens
from loadtests.wrong_tokens import Figures, slower, token, wrong_tokens

KEY = "k" * 64


def test_what_is_sent_as_wrong_is_wrong_and_the_camera_s_is_right() -> None:
    tokens = Tokens([Key("HS256", KEY.encode())], "signstream")
    assert tokens.read(token(KEY)).grants == {"publish", "subscribe"}
    for one in wrong_tokens(KEY):
        with pytest.raises(TokenError):
            tokens.read(one)


def test_a_run_is_compared_with_those_around_it() -> None:
    calm = Figures(0, 50, 100, 0.1, 0.5, 15, {})
    later = dataclasses.replace(calm, frame_age_ms=70, gloss_ms=100)
    attacked = dataclasses.replace(
        calm, wrong_per_second=100, frame_age_ms=63, gloss_ms=103, gateway_cores=0.2
    )
    assert slower([calm, attacked, later]) == {
        "100": {"frame_age_percent": 5.0, "gloss_percent": 3.0, "gateway_cores": 0.1}
    }
