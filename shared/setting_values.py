"""What settings are made of: lists, addresses, URLs (pure)."""

import ipaddress
import re

# RFC 7064 and RFC 7065; the host as a name or an address.
_HOST = r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])"
STUN_URL = re.compile(rf"stuns?:{_HOST}(?::\d{{1,5}})?")
TURN_URL = re.compile(rf"turns?:{_HOST}(?::\d{{1,5}})?(?:\?transport=(?:udp|tcp))?")

ORIGIN = re.compile(rf"https?://{_HOST}(?::\d{{1,5}})?")
"""RFC 6454 §6.2, as browsers send it."""

COLLECTOR = re.compile(rf"https?://{_HOST}(?::\d{{1,5}})?(?:/[^?#@]*)?")


def listed(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(one.strip() for one in text.split(",") if one.strip())


def port_range(text: str) -> range | None:
    """LOW-HIGH; None where it is none, or asks for ports that are the system's."""
    match = re.fullmatch(r"(\d{1,5})-(\d{1,5})", text)
    low, high = (int(match[1]), int(match[2])) if match else (0, 0)
    return range(low, high + 1) if 1024 <= low <= high <= 65535 else None


def is_network(text: str) -> bool:
    """An IP address, or several as ADDRESS/BITS."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def is_address(text: str) -> bool:
    """An IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(address: str) -> bool:
    """This machine's own, by number or name."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
