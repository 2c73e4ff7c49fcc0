"""Key names and session ids."""

import pytest

from shared import keys


def test_new_ids_are_long_random_and_allowed() -> None:
    made = {keys.new_session_id() for _ in range(100)}
    assert len(made) == 100
    assert all(keys.is_session_id(name) and len(name) >= 22 for name in made)


@pytest.mark.parametrize(
    "name", ["", "short", "x" * 65, "a" * 15, "{" * 20, "a b c d e f g h i j", "ü" * 20, "a" * 20 + "\n"]
)
def test_other_ids_are_refused(name: str) -> None:
    assert not keys.is_session_id(name)


def test_a_sessions_keys_share_their_hash_tag() -> None:
    name = "session-of-the-test"
    made = [keys.session(name), keys.frames(name), keys.results(name), keys.glosses(name), keys.control(name)]
    assert all(f"{{{name}}}" in key for key in made)
