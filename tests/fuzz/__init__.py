"""Malformed input of every kind, generated. `python -m tests.fuzz 10000` runs it all; the suite a part."""
