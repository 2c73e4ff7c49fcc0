"""Every message of docs/troubleshooting.md is one that the product prints."""

import ast
import functools
import re

import pytest

from tests.conftest import ROOT

PRODUCT = ("deploy", "gateway", "shared", "workers")

ROW = re.compile(r"^\| `([^`]+)` \| (.+) \| (.*)\|$", re.MULTILINE)

MESSAGES = [found[1] for found in ROW.finditer((ROOT / "docs" / "troubleshooting.md").read_text("utf-8"))]


def said_in(tree: ast.AST) -> list[str]:
    """Every text of a module, what is filled in as `…`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [one.value if isinstance(one, ast.Constant) else "…" for one in node.values]
            found.append("".join(map(str, parts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(re.sub(r"%[-+.\d]*[dgrsf]", "…", node.value))
    return found


@functools.cache
def said() -> str:
    """All that the product says: its modules, its pages' English, the Makefile."""
    texts = [(ROOT / "Makefile").read_text("utf-8")]
    for folder in PRODUCT:
        for file in sorted((ROOT / folder).rglob("*.py")):
            texts += said_in(ast.parse(file.read_text("utf-8")))
        texts += [file.read_text("utf-8") for file in sorted((ROOT / folder).rglob("strings.js"))]
    return "\n".join(texts)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_the_products_own(message: str) -> None:
    for part in re.split(r"…|SIGNSTREAM_\w*", message):
        assert part.strip(" :;,.()'") in said(), f"nothing says {part!r}"


def test_there_are_messages() -> None:
    assert len(MESSAGES) >= 30
