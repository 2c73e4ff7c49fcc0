"""Which pages may use a server."""

import pytest

from gateway.origins import Origins

OPEN = "https://signs.example.org"


@pytest.mark.parametrize(
    ("allowed", "loopback_only", "origin", "host", "admitted"),
    [
        ((), False, None, "signs.example.org", True),  # no browser's page: OBS, a script
        ((), False, OPEN, "signs.example.org", True),
        ((), False, OPEN, "signs.example.org:443", True),
        ((), False, OPEN + ":443", "signs.example.org", True),
        ((), False, "HTTPS://Signs.Example.Org", "signs.example.org", True),
        ((), False, OPEN, "signs.example.org:8443", False),
        ((), False, "https://evil.example.net", "signs.example.org", False),
        ((), False, "https://signs.example.org.evil.net", "signs.example.org", False),
        ((), False, "https://signs.example.org@evil.net", "signs.example.org", False),
        ((), False, "null", "signs.example.org", False),
        ((), False, "", "signs.example.org", False),
        ((), False, "http://[", "[", False),
        ((OPEN,), False, OPEN, "api.example.org", True),
        ((OPEN + "/",), False, OPEN, "api.example.org", True),
        ((OPEN,), False, "https://evil.example.net", "api.example.org", False),
        (("*",), False, "null", "api.example.org", True),
        ((), True, "http://127.0.0.1:8080", "127.0.0.1:8080", True),
        ((), True, "http://localhost:8080", "localhost:8080", True),
        ((), True, "http://[::1]:8080", "[::1]:8080", True),
        ((), True, "http://localhost:3000", "localhost:8080", False),
        ((), True, "http://rebound.example.net:8080", "rebound.example.net:8080", False),
        (("http://rebound.example.net:8080",), True, "http://rebound.example.net:8080", "x", True),
    ],
)
def test_our_own_pages_and_those_that_are_named(
    allowed: tuple[str, ...], loopback_only: bool, origin: str | None, host: str, admitted: bool
) -> None:
    assert Origins(allowed, loopback_only=loopback_only).admit(origin, host) is admitted
