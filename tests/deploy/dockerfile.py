"""deploy/Dockerfile as its stages and instructions."""

import dataclasses
import json
import re
from typing import Any

from tests.conftest import ROOT

FILE = ROOT / "deploy" / "Dockerfile"


@dataclasses.dataclass(frozen=True)
class Instruction:
    """One, with its continued lines joined."""

    word: str
    rest: str

    @property
    def is_copied_from_here(self) -> bool:
        """Whether it brings files of the build context, and not of another stage."""
        return self.word == "COPY" and not self.rest.startswith("--from=")

    @property
    def listed(self) -> Any:
        """Of its JSON form."""
        return json.loads(self.rest)


def targets() -> dict[str, list[Instruction]]:
    """Every stage's instructions by its name, those of the stage it builds on first."""
    text = re.sub(r"^\s*#.*\n", "", FILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found: dict[str, list[Instruction]] = {}
    name = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        word, rest = line.split(maxsplit=1)
        if word == "FROM":
            base, name = re.fullmatch(r"(\S+) AS (\S+)", rest).groups()  # type: ignore[union-attr]
            found[name] = list(found.get(base, []))
        found[name].append(Instruction(word, rest))
    return found


def last(instructions: list[Instruction], word: str) -> Instruction:
    """The one that counts."""
    return [one for one in instructions if one.word == word][-1]
