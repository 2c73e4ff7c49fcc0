"""How a bench ends: a table or JSON for whoever started it, and a line in the ledger where it is kept."""

import importlib.metadata
import json
import platform
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from deploy.bench import ledger
from deploy.bench.ledger import Row

NOT_OF_THE_RUN = ("--json", "--keep")
"""Options that change nothing of what is measured."""


def report(
    bench: str, rows: Sequence[Row], packages: Sequence[str], *, as_json: bool, keep: bool = False
) -> None:
    """Prints the rows, and what they were measured on; keeps them in the ledger where asked.

    Each row has a `mode` or `profile` and a `ratio`.
    """
    versions = {"python": platform.python_version(), **{p: importlib.metadata.version(p) for p in packages}}
    machine, told = ledger.machine(), [dict(row) for row in rows]
    if keep:
        run = ledger.Run(
            bench=bench,
            command=command(sys.argv),
            at=ledger.now(),
            commit=ledger.commit(),
            machine=machine,
            versions=versions,
            rows=told,
            busy=ledger.busy(),
        )
        try:
            ledger.keep(run)
        except ledger.NotKeptError as error:
            typer.echo(f"signstream: {error}", err=True)
    if as_json:
        whole = {"bench": bench, "machine": machine, "versions": versions, "rows": told}
        typer.echo(json.dumps(whole, indent=2))
        return
    console = Console(width=max(100, Console().width))
    for several in alike(told):
        table = Table(*several[0])
        for row in several:
            table.add_row(*(str(value) for value in row.values()))
        console.print(table)
    console.print(f"{machine['processor']}, {machine['cores']} cores; {versions}", highlight=False)


def alike(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows that follow each other and have the same figures, a table each; what is None is left out."""
    tables: list[list[Row]] = []
    names: set[str] = set()
    for row in rows:
        shown = {name: value for name, value in row.items() if value is not None}
        if not tables or set(shown) != names:
            tables.append([])
            names = set(shown)
        tables[-1].append({name: shown[name] for name in tables[-1][0]} if tables[-1] else shown)
    return tables


def command(arguments: Sequence[str]) -> str:
    """As somebody repeats it: of a path only the name, for it is of one machine."""
    words = [word for word in arguments[1:] if word not in NOT_OF_THE_RUN]
    return shlex.join(["signstream", *(Path(word).name if "/" in word else word for word in words)])
