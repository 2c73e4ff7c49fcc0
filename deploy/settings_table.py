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
    between = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    return between.sub(lambda _: f"{BEGIN}\n{table()}\n{END}", page)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
