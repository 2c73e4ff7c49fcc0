"""Time-limited TURN credentials (pure): coturn's `use-auth-secret`, draft-uberti-behave-turn-rest-00 §2.2."""

import base64
import dataclasses
import hashlib
import hmac


@dataclasses.dataclass(frozen=True)
class Credentials:
    """What a TURN server with the same secret takes until the time in the user name."""

    username: str
    password: str


def credentials(secret: str, name: str, expires: int) -> Credentials:
    """For `name` (it only shows in the TURN server's log), until the unix time `expires`."""
    username = f"{expires}:{name}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return Credentials(username, base64.b64encode(digest).decode())
