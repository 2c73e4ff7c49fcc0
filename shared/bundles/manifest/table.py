"""What all tables of a manifest have in common, and the kinds of values in them."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_SPAN = re.compile(r"(\d{1,3})-(\d{1,3})")


class Table(BaseModel):
    """Exactly the keys that are declared, each of exactly its type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=False)


def spelled_out(value: object) -> object:
    """Rows as numbers or as spans "468-488", both ends counted, in the order written."""
    if not isinstance(value, list | tuple):
        return value
    rows: list[object] = []
    for item in value:
        span = _SPAN.fullmatch(item) if isinstance(item, str) else None
        if span:
            rows += range(int(span[1]), int(span[2]) + 1)
        else:
            rows.append(item)
    return tuple(rows)


def as_tuple(value: object) -> object:
    """TOML has only lists; what is frozen holds tuples."""
    return tuple(value) if isinstance(value, list) else value


AsTuple = BeforeValidator(as_tuple)
Names = Annotated[tuple[str, ...], AsTuple]
Ids = Annotated[tuple[int, ...], AsTuple]
Rows = Annotated[tuple[int, ...], BeforeValidator(spelled_out)]
Size = Annotated[int, Field(ge=1, le=100_000)]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=60)]
File = Annotated[str, Field(min_length=1, max_length=200)]
