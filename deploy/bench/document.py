"""The figures' tables of `docs/benchmarks.md`, written from the ledger.

A table stands between two comments, the first of which says what is in it:

    <!-- figures: COMMAND | rows: PREFIX, ... | columns: NAME=HEADING, ... -->
    <!-- end of figures -->

Rows are those of the command's newest run whose `mode` (or `profile`) begins with one of the prefixes, which
is left away; without `rows` all of them. Everything else in the document is written by hand.
"""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.bench.ledger import NotKeptError, Run, latest

DOCUMENT = Path("docs/benchmarks.md")

BLOCK = re.compile(r"(<!-- figures: (?P<says>.*?) -->\n)(?P<table>.*?)(<!-- end of figures -->)", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Table:
    """What a block's first comment says."""

    command: str
    prefixes: Sequence[str]
    columns: Sequence[tuple[str, str]]
    """Names of figures and their headings."""

    @classmethod
    def of(cls, says: str) -> "Table":
        """NotKeptError for a comment without columns."""
        command, *parts = (part.strip() for part in says.split(" | "))
        told = dict(part.split(":", 1) for part in parts)
        if "columns" not in told:
            raise NotKeptError(f"figures of {command!r}: no columns are named")
        columns = [column.strip().partition("=") for column in told["columns"].split(",")]
        prefixes = [prefix.strip() for prefix in told["rows"].split(",")] if "rows" in told else [""]
        return cls(command, prefixes, [(name, heading or name) for name, _, heading in columns])

    def written(self, run: Run) -> str:
        """As Markdown, with the run it is of."""
        lines = [
            "| " + " | ".join(heading for _, heading in self.columns) + " |",
            "|---" * len(self.columns) + "|",
        ]
        for prefix in self.prefixes:
            for row in run.rows:
                mode = str(row.get("mode") or row.get("profile") or "")
                if mode.startswith(prefix):
                    shown = {**row, "mode": mode.removeprefix(prefix).strip(), "profile": mode}
                    lines.append("| " + " | ".join(cell(shown.get(name)) for name, _ in self.columns) + " |")
        return "\n".join([*lines, "", origin(run), ""])


def cell(value: Any) -> str:
    """One figure."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(cell(one) for one in value)
    return str(value)


def origin(run: Run) -> str:
    """Where a table's figures come from."""
    where = f"{run.machine.get('processor')}, {run.machine.get('cores')} cores"
    python = f"Python {run.versions.get('python', '?')}"
    return f"`{run.command}`, {run.at[:10]}, commit {run.commit or 'unknown'}; {where}, {python}."


def render(document: str, runs: Sequence[Run]) -> str:
    """The document with its tables written anew; a command that was never kept keeps what stands there."""

    def block(found: re.Match[str]) -> str:
        table = Table.of(found["says"])
        run = latest(runs, table.command)
        written = found["table"] if run is None else table.written(run)
        return f"{found[1]}{written}{found[4]}"

    return BLOCK.sub(block, document)
