"""Writes the table of metrics into docs/operations.md: `python -m deploy.metrics_table`."""

from deploy.settings_table import PAGE, between
from shared.metrics import METRICS

BEGIN = "<!-- metrics: written by `python -m deploy.metrics_table` -->"
END = "<!-- end of metrics -->"


def table() -> str:
    """Every metric with its type, labels, who tells it, and what it means, as Markdown."""
    lines = ["| name | type | labels | told by | what |", "|---|---|---|---|---|"]
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        told_by = ", ".join(metric.stages) + (" (of all)" if metric.fleet else "")
        lines.append(f"| `{metric.name}` | {metric.kind} | {labels} | {told_by} | {metric.what} |")
    return "\n".join(lines)


def filled(page: str) -> str:
    """The page with its table as it should be."""
    return between(page, BEGIN, table(), END)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
