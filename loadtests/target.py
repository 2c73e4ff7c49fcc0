"""The server under load: where it is, and how it is asked."""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence


@dataclasses.dataclass
class Target:
    """A gateway, or what stands before several."""

    url: str
    """http://HOST:PORT, without a slash at its end."""
    models: str = ""
    """Comma-separated; empty: the server's first."""
    tokens: Sequence[str] = ()
    """Shown in turns, for one is good for 50 requests a second."""
    addresses: tuple[str, ...] = ("127.0.0.1",)
    """Of this machine, from which media is sent."""

    def __post_init__(self) -> None:
        self.url = self.url.rstrip("/")
        self._turns: Iterator[str] = itertools.cycle(self.tokens)

    @property
    def socket_url(self) -> str:
        """The same for WebSockets."""
        return "ws" + self.url.removeprefix("http")

    @property
    def query(self) -> str:
        """What a publisher or an upload adds to its address, without the question mark."""
        return f"models={self.models}" if self.models else ""

    def token(self) -> str:
        """The next one; empty where there are none."""
        return next(self._turns, "")

    def headers(self) -> Mapping[str, str]:
        """With the next token."""
        token = self.token()
        return {"Authorization": f"Bearer {token}"} if token else {}
