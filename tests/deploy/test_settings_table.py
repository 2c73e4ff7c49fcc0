"""The table of settings in the documentation."""

from deploy import settings_table


def test_the_documentation_lists_the_settings_there_are() -> None:
    page = settings_table.PAGE.read_text("utf-8")
    assert settings_table.filled(page) == page, "run: python -m deploy.settings_table"


def test_every_setting_is_described() -> None:
    assert "None" not in settings_table.table()
