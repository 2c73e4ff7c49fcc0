"""Nothing in the documents is only told: a block is run, or the table names the test that runs it."""

import ast
import functools
import importlib.util
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from deploy.cli import commands
from tests.conftest import ROOT
from tests.docs.blocks import Block, blocks, inline_commands, pages
from tests.docs.table import ELSEWHERE, PRINTED

ALL = [block for page in pages() for block in blocks(page)]


def entries_of(block: Block) -> list[tuple[str, str]]:
    """What the table says of a block."""
    return [
        entry
        for entry in [*ELSEWHERE, *PRINTED]
        if entry[0] == block.page and block.begin.startswith(entry[1])
    ]


def runs_as_written(block: Block) -> bool:
    """Whether `tests/whole/test_documented_commands.py` runs it."""
    return (block.is_shell or block.language == "python") and not entries_of(block)


@pytest.mark.parametrize("block", ALL, ids=lambda block: block.place)
def test_a_block_is_run_or_stands_in_the_table(block: Block) -> None:
    found = entries_of(block)
    assert len(found) <= 1, f"{block.place} stands twice in tests/docs/table.py"
    assert found or runs_as_written(block), (
        f"{block.place}: is it typed into a shell, begin it with a program (or a fence ```sh); else say in"
        " tests/docs/table.py which test runs it"
    )


@pytest.mark.parametrize(("page", "begin"), [*ELSEWHERE, *PRINTED])
def test_the_table_names_blocks_that_are_there(page: str, begin: str) -> None:
    assert [block for block in ALL if block.page == page and block.begin.startswith(begin)]


@pytest.mark.parametrize("said", sorted(set(ELSEWHERE.values())))
def test_the_table_names_tests_that_are_there(said: str) -> None:
    for place in re.findall(r"tests/[\w/.]+py(?:::\w+)?", said):
        file, _, name = place.partition("::")
        assert (ROOT / file).is_file(), place
        assert not name or f"def {name}(" in (ROOT / file).read_text("utf-8"), place


def test_a_page_is_read_block_by_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Say:\n\n    make up\n    # and\n\n    curl x\n\n- a point\n    goes on\n\n"
    text += "```python\nprint()\n```\n\n    out\n"
    (tmp_path / "a.md").write_text(text)
    monkeypatch.setattr("tests.docs.blocks.ROOT", tmp_path)
    read = [(block.line, block.language, block.is_shell, block.begin) for block in blocks(tmp_path / "a.md")]
    assert read == [
        (3, "indented", True, "make up"),
        (12, "python", False, "print()"),
        (15, "indented", False, "out"),
    ]


def test_the_readmes_javascript_is_the_clients_own_example() -> None:
    (readme,) = [block for block in ALL if block.page == "README.md" and block.language == "js"]
    (client,) = [block for block in ALL if block.page == "docs/browser.md" and block.begin == readme.begin]
    assert readme.text == client.text


@functools.cache
def command_tree() -> Any:
    """Every `signstream` command but those that plug in; a Click group."""
    return typer.main.get_command(commands)


PLUGGED = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"][
    "signstream.commands"
]


def options_of(words: list[str]) -> set[str]:
    """The options of the command that the words name. Fails where there is none."""
    if words[0] in PLUGGED:
        source = "".join(file.read_text("utf-8") for file in sorted((ROOT / "training").rglob("*.py")))
        return set(re.findall(r"--[a-z][a-z0-9-]*", source)) | {
            "--" + name.replace("_", "-")
            for name in re.findall(r"^    (\w+): Annotated\[", source, re.MULTILINE)
        }
    command = command_tree()
    for word in words:
        if not hasattr(command, "commands") or word.isupper():
            break  # an argument, or `X` that stands for any of them
        assert word in command.commands, f"there is no {word!r} in {words}"
        command = command.commands[word]
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


def check_signstream(words: list[str]) -> None:
    known = options_of(words) if words and not words[0].startswith("-") else {"--help"}
    if len(words) > 1 and words[1].isupper() and words[0] == "bench":
        return
    for word in words:
        if word.startswith("--"):
            assert word.split("=")[0] in known | {"--help"}, (
                f"{word} is no option of signstream {' '.join(words)}"
            )


def check_pytest(words: list[str]) -> None:
    (file,) = [word for word in words if word.endswith(".py")]
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    names = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    if "-k" in words:
        wanted = words[words.index("-k") + 1]
        assert any(name.startswith("test_") and wanted in name for name in names), f"{file} has no {wanted}"


def check_module(words: list[str]) -> None:
    """`python -m MODULE --options`: there is such a module, and each option is in its text."""
    module = words[words.index("-m") + 1]
    spec = importlib.util.find_spec(module)
    assert spec is not None, f"there is no {module}"
    folder = Path(spec.origin or "").parent
    source = "".join(file.read_text("utf-8") for file in folder.glob("*.py"))
    for word in words:
        if word.startswith("--"):
            assert f'"{word.split("=")[0]}"' in source, f"{word} is no option of {module}"


def check_make(words: list[str]) -> None:
    targets = re.findall(r"^([\w.()$-]+(?:/[\w.]+)?):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    known = {target.replace("$(VENV)", ".venv") for target in targets}
    for word in words:
        assert "=" in word or word in known, f"there is no `make {word}`"


CHECKS = {"signstream": check_signstream, "pytest": check_pytest, "make": check_make}


@pytest.mark.parametrize(
    ("page", "command"),
    [
        pytest.param(page.relative_to(ROOT), command, id=f"{page.name}: {command}")
        for page in pages()
        for command in dict.fromkeys(inline_commands(page))
    ],
)
def test_a_command_in_the_text_is_one_that_there_is(page: Path, command: str) -> None:
    program, *words = shlex.split(command.replace("...", "").replace("…", ""), comments=True)
    program = program.rsplit("/", 1)[-1]
    words = [word.strip("[]") for word in words if word.strip("[]")]
    if program in CHECKS:
        CHECKS[program](words)
    elif program.startswith("python") and "-m" in words:
        check_module(words)


def test_every_page_a_page_links_to_exists() -> None:
    for page in pages():
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).is_file(), f"{page.name} links to {target}"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_heading_a_page_links_to_exists() -> None:
    for page in pages():
        for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text("utf-8")):
            there = (page.parent / target) if target else page
            assert anchor in anchors(there), f"{page.name} links to {target}#{anchor}"
