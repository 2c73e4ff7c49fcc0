"""Who may do what: JWTs (RFC 7519) signed with a key that this server was given."""

import dataclasses
import fnmatch
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from shared.settings import SettingsError

Grant = Literal["publish", "subscribe", "upload", "admin"]

GRANTS: frozenset[str] = frozenset({"publish", "subscribe", "upload", "admin"})

SHORTEST_SECRET = 32
"""Bytes: as many as HS256 puts out (RFC 7518 §3.2)."""

LONGEST_TOKEN = 4096
"""Characters; ours have some 300."""

LEEWAY_SECONDS = 5
"""Clocks that differ."""


class KeyFileError(SettingsError):
    """A key file cannot be used: names it, and says what would be right."""


class TokenError(Exception):
    """Why a request is refused: `status` is HTTP's (401, 403), the text gives nothing away."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclasses.dataclass(frozen=True)
class Key:
    """What tokens are checked with. Its material is never printed."""

    algorithm: Literal["HS256", "EdDSA"]
    material: bytes | Ed25519PublicKey = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Token:
    """What its bearer may do until `expires` (unix seconds)."""

    grants: frozenset[str]
    session: str
    """Pattern of the ids it is good for; `*` stands for any characters."""
    expires: float
    once: str = ""
    """Its `jti`, where it may be used a single time."""

    def require(self, grant: Grant, session: str | None) -> None:
        """Raises TokenError 403 unless it is good for that; None is a session that has no id yet."""
        if grant not in self.grants:
            raise TokenError(403, f"this token does not grant {grant!r}")
        if session is None and self.session != "*":
            raise TokenError(403, "this token is for certain sessions: name yours with ?session=")
        if session is not None and not fnmatch.fnmatchcase(session, self.session):
            raise TokenError(403, "this token is not for this session")


class Tokens:
    """Reads tokens. Several keys are good at the same time, so that one can follow another."""

    def __init__(self, keys: Sequence[Key], audience: str) -> None:
        self._keys = tuple(keys)
        self._audience = audience

    def read(self, text: str) -> Token:
        """Raises TokenError 401 for anything but an unexpired token for us, signed with one of our keys."""
        if len(text) > LONGEST_TOKEN:
            raise TokenError(401, "this is no token: it is too long")
        for key in self._keys:
            try:
                # The algorithm is the key's, never the token's: no `none`, no public key as a secret.
                claims = jwt.decode(
                    text,
                    key.material,
                    algorithms=[key.algorithm],
                    audience=self._audience,
                    leeway=LEEWAY_SECONDS,
                    options={"require": ["exp", "aud"]},
                )
            except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError):
                continue
            except jwt.ExpiredSignatureError as error:
                raise TokenError(401, "this token has expired") from error
            except jwt.InvalidAudienceError as error:
                raise TokenError(401, "this token is for another audience") from error
            except jwt.PyJWTError as error:
                raise TokenError(401, "this is no token that can be read") from error
            return _token(claims)
        raise TokenError(401, "this token is not signed with a key this server knows")


def read_key(path: Path) -> Key:
    """An Ed25519 public key in PEM (EdDSA), else a secret of 32 bytes or more (HS256). KeyFileError."""
    try:
        content = path.read_bytes().strip()
    except OSError as error:
        raise KeyFileError(f"key file {path}: {error.strerror}") from error
    if b"PRIVATE KEY" in content:
        raise KeyFileError(f"key file {path} holds a private key; this server needs the public one")
    if content.startswith(b"-----BEGIN"):
        try:
            public = load_pem_public_key(content)
        except ValueError as error:
            raise KeyFileError(f"key file {path}: not a public key in PEM: {error}") from error
        if not isinstance(public, Ed25519PublicKey):
            raise KeyFileError(f"key file {path}: a {type(public).__name__}; Ed25519 is needed")
        return Key("EdDSA", public)
    if len(content) < SHORTEST_SECRET:
        raise KeyFileError(
            f"key file {path} holds {len(content)} bytes; a secret needs {SHORTEST_SECRET} at least:"
            " `openssl rand -hex 32`"
        )
    return Key("HS256", content)


def _token(claims: dict[str, Any]) -> Token:
    grants, session = claims.get("grants"), claims.get("session", "*")
    once, jti = claims.get("once", False), claims.get("jti", "")
    if not isinstance(grants, list) or not all(grant in GRANTS for grant in grants if isinstance(grant, str)):
        raise TokenError(401, f"the token's grants must be a list of {', '.join(sorted(GRANTS))}")
    if not isinstance(session, str) or not isinstance(once, bool) or not isinstance(jti, str):
        raise TokenError(401, "the token's session or jti is no text, or its once neither true nor false")
    if once and not jti:
        raise TokenError(401, "a token for one use needs a jti")
    allowed = frozenset(grant for grant in grants if isinstance(grant, str))
    return Token(allowed, session, float(claims["exp"]), jti if once else "")
