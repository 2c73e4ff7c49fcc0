"""Writes the table of settings into docs/operations.md: `python -m deploy.settings_table`."""

import re
from pathlib import Path

from shared.settings import PREFIX, Settings

PAGE = Path(__file__).parent.parent / "docs" / "operations.md"
BEGIN = "<!-- settings: written by `python -m deploy.settings_table` -->"
END = "<!-- end of settings -->"


def table() -> str:
    """Every setting with its default and its meaning, as Markdown."""
    lines = ["| name | default | what |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = f"`{field.default}`" if field.default != "" else ""
        lines.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines)


def filled(page: str) -> str:
    """The page with its table as it should be."""
    return between(page, BEGIN, table(), END)


def between(page: str, begin: str, text: str, end: str) -> str:
    """The page with this text between two marks."""
    marked = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    return marked.sub(lambda _: f"{begin}\n{text}\n{end}", page)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
