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
    table = Table(*dict.fromkeys(name for row in rows for name in row))
    for row in rows:
        table.add_row(*(str(row.get(str(column.header), "")) for column in table.columns))
    console = Console(width=max(100, Console().width))
    console.print(table)
    console.print(f"{machine['processor']}, {machine['cores']} cores; {versions}", highlight=False)


def command(arguments: Sequence[str]) -> str:
    """As somebody repeats it: of a path only the name, for it is of one machine."""
    words = [word for word in arguments[1:] if word not in NOT_OF_THE_RUN]
    return shlex.join(["signstream", *(Path(word).name if "/" in word else word for word in words)])
