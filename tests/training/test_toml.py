"""What a manifest looks like."""

import tomllib

from training.toml import spans, table


def test_rows_are_written_as_runs() -> None:
    assert spans((489, 491, 500, 501, 502, 10, 11)) == [489, 491, "500-502", 10, 11]


def test_a_table_is_read_back_as_it_was() -> None:
    steps = [{"name": "clamp", "limit": 4.0}]
    fields: dict[str, object] = {"name": 'a "b"', "sizes": [1, 0], "steps": steps, "x.y": 1, "none": {}}
    assert tomllib.loads(table("input", **fields)) == {"input": fields}
