"""The importers without the rest of Signstream: `python -m training.importers keras ...`."""

from training.importers.cli import commands

if __name__ == "__main__":
    commands()
