"""What stands in the documents between fences or indented by four, and commands in a line of text."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

FENCE = re.compile(r"^```(\w*)\s*$")

PROGRAMS = ("curl", "docker", "git", "kubectl", "make", "pytest", "python", "python3", "signstream", "source")

COMMAND = re.compile(rf"(?:[A-Z_]+=\S+ )*(?:\S*/)?(?:{'|'.join(PROGRAMS)}|export|cd|sudo|openssl|for)\b ?")
"""How a line begins that is typed into a shell: settings, perhaps a path, a program."""

INLINE = re.compile(rf"`((?:\S*/)?(?:{'|'.join(PROGRAMS)}) [^`]+)`")


@dataclasses.dataclass(frozen=True)
class Block:
    """One block, as it is written."""

    page: str
    """Path from the repository's root."""
    line: int
    """Its first, from 1."""
    language: str
    """After the fence; "" without one; "indented" where there is no fence."""
    text: str

    @property
    def begin(self) -> str:
        """Its first line: with the page, what tells it from all others."""
        return self.text.split("\n", 1)[0].strip()

    @property
    def place(self) -> str:
        """For people: page, line and first line."""
        return f"{self.page}:{self.line}: {self.begin}"

    @property
    def is_shell(self) -> bool:
        """Whether it is typed into a shell: it says so, or begins as such lines do."""
        return self.language == "sh" or (self.language == "indented" and bool(COMMAND.match(self.begin)))


def pages() -> list[Path]:
    """The README and everything below docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    """All of a page, from top to bottom. Lines indented below a list's point are the list's."""
    name, lines = str(page.relative_to(ROOT)), page.read_text("utf-8").splitlines()
    number = 0
    while number < len(lines):
        fence = FENCE.match(lines[number])
        if fence:
            end = next(n for n in range(number + 1, len(lines)) if lines[n].startswith("```"))
            yield Block(name, number + 2, fence[1], "\n".join(lines[number + 1 : end]))
            number = end + 1
        elif lines[number].startswith("    ") and not lines[number - 1].strip():
            end = number
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            kept = [line[4:] for line in lines[number:end]]
            yield Block(name, number + 1, "indented", "\n".join(kept).rstrip())
            number = end
        else:
            number += 1


def inline_commands(page: Path) -> list[str]:
    """Commands in the text and in tables, outside of blocks, each as it stands there."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [found.replace("\\|", "|") for found in INLINE.findall(text)]
