"""Which pages a browser may let talk to us (pure): RFC 6454's origins, compared as browsers send them."""

from collections.abc import Collection
from urllib.parse import urlsplit

from shared.setting_values import is_loopback

ANY = "*"

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Origins:
    """Pages of this server itself, and of the origins that the settings name.

    A server without tokens trusts whoever is on the machine, and so no page that calls itself its own under a
    name that is not the machine's (DNS rebinding).
    """

    def __init__(self, allowed: Collection[str], *, loopback_only: bool) -> None:
        self._allowed = frozenset(one.lower().rstrip("/") for one in allowed)
        self._loopback_only = loopback_only

    def admit(self, origin: str | None, host: str) -> bool:
        """Whether a request with these headers may be served; without an origin no browser's page sent it."""
        if origin is None or ANY in self._allowed or origin.lower() in self._allowed:
            return True
        name, port = _place(origin)
        if not name or (name, port) != _place(f"{urlsplit(origin).scheme}://{host}"):
            return False
        return not self._loopback_only or is_loopback(name) or name.endswith(".localhost")  # RFC 6761 §6.3


def _place(origin: str) -> tuple[str, int | None]:
    """Host and port; no host where it is none, as in `null`."""
    try:
        parts = urlsplit(origin)
        return (parts.hostname or "").rstrip("."), parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return "", None
