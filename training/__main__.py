"""`python -m training`, for where the whole of signstream is not installed."""

from training.cli import commands

commands()
