"""The table of metrics in the documentation."""

from deploy import metrics_table
from deploy.settings_table import PAGE


def test_the_documentation_lists_the_metrics_there_are() -> None:
    page = PAGE.read_text("utf-8")
    assert metrics_table.BEGIN in page
    assert metrics_table.filled(page) == page
