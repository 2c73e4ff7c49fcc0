"""What may be set in the broker's URL, beside what redis-py itself reads from it."""

import dataclasses
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from faust.exceptions import ImproperlyConfigured


@dataclasses.dataclass(frozen=True)
class Options:
    """`redis://host:6379/0?idle_seconds=5&batch=16`; unset ones keep these defaults."""

    idle_seconds: float = 5.0
    """A message whose worker was silent this long goes to another: long enough for a garbage collection or a
    slow Redis, since a healthy worker renews its messages three times in it."""

    batch: int = 64
    """Messages of one topic read at once; at most two batches are held unacknowledged. Small where a message
    takes long (what one worker holds no other can take), large where it is quick."""

    maxlen: int = 100_000
    """Safety net per topic. Acknowledged messages are deleted, so the length is the backlog; past this the
    oldest are dropped, which is logged as an error."""

    maxbytes: int = 2 * 2**30
    """The same net by size, for topics of large messages: a topic holds at most as many as these are of the
    mean size of those sent to it last."""

    commit_seconds: float = 0.25
    """Acknowledged messages leave Redis this often, unless the app sets `broker_commit_interval`."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if not getattr(self, field.name) > 0:
                raise ImproperlyConfigured(f"{field.name} is {getattr(self, field.name)}, must be above 0")

    @classmethod
    def from_url(cls, url: str) -> tuple[str, Self]:
        """The URL for redis-py, without our options, and the options. Raises ImproperlyConfigured."""
        parts = urlsplit(url)
        kinds: dict[str, type[int] | type[float]] = {
            field.name: int if field.type is int else float for field in dataclasses.fields(cls)
        }
        ours: dict[str, Any] = {}
        theirs: list[tuple[str, str]] = []
        for name, text in parse_qsl(parts.query, keep_blank_values=True):
            if name not in kinds:
                theirs.append((name, text))
                continue
            try:
                ours[name] = kinds[name](text)
            except ValueError:
                wanted = "a whole number" if kinds[name] is int else "a number"
                raise ImproperlyConfigured(f"broker URL: {name} is {text!r}, expected {wanted}") from None
        return urlunsplit(parts._replace(query=urlencode(theirs))), cls(**ours)


def broker_url(redis_url: str, **options: float) -> str:
    """The URL with options added: `broker_url("redis://localhost:6379/0", batch=8)`."""
    unknown = options.keys() - {field.name for field in dataclasses.fields(Options)}
    if unknown:
        raise ImproperlyConfigured(f"unknown option {', '.join(sorted(unknown))}")
    parts = urlsplit(redis_url)
    query = parse_qsl(parts.query, keep_blank_values=True) + [(k, str(v)) for k, v in options.items()]
    return urlunsplit(parts._replace(query=urlencode(query)))
