"""The `signstream` command."""


def main() -> None:
    raise SystemExit("not there yet")
