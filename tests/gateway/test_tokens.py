"""Tokens: who signed them, for whom, until when, and for what."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from gateway.tokens import LONGEST_TOKEN, KeyFileError, TokenError, Tokens, read_key

SECRET = b"0123456789abcdef0123456789abcdef"
OTHER = b"another secret that is long enough."

LONG = 3600
"""Some are made while tests are collected, minutes before they are tried."""


def pem(key: Any) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    public: bytes = key.public_key().public_bytes(encoding, form)
    return public


def private_pem(key: ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def signed(key: Any = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """A good token, but for what is given."""
    good = {"aud": "signstream", "exp": time.time() + LONG, "grants": ["publish"], "session": "room-*"}
    made = {name: value for name, value in {**good, **claims}.items() if value is not None}
    return jwt.encode(made, key, algorithm)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """Two files, as while keys are changed."""
    old, new = tmp_path / "old.key", tmp_path / "new.pem"
    old.write_bytes(SECRET + b"\n")
    new.write_bytes(pem(ED25519))
    return old, new


ED25519 = ed25519.Ed25519PrivateKey.generate()


@pytest.fixture
def tokens(keys: tuple[Path, Path]) -> Tokens:
    return Tokens([read_key(path) for path in keys], "signstream")


def test_both_keys_are_good_while_one_follows_the_other(tokens: Tokens) -> None:
    for text in (signed(), signed(ED25519, "EdDSA")):
        token = tokens.read(text)
        assert token.grants == {"publish"}
        token.require("publish", "room-5-and-more-of-it")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (signed(exp=time.time() - 60), "expired"),
        (signed(exp=None), "no token that can be read"),
        (signed(aud="elsewhere"), "another audience"),
        (signed(aud=None), "no token that can be read"),
        (signed(OTHER), "not signed with a key"),
        (signed(ed25519.Ed25519PrivateKey.generate(), "EdDSA"), "not signed with a key"),
        (signed(SECRET * 2, "HS512"), "not signed with a key"),
        (jwt.encode({"aud": "signstream", "exp": 2e9, "grants": ["admin"]}, "", "none"), "not signed"),
        (signed(nbf=time.time() + 600), "no token that can be read"),
        (signed(grants="publish"), "grants must be a list"),
        (signed(grants=["fly"]), "grants must be a list"),
        (signed(session=5), "session"),
        (signed(once=True), "needs a jti"),
        (signed(session="x" * LONGEST_TOKEN), "too long"),
        ("a.b.c", "no token that can be read"),
        ("é..", "no token that can be read"),
        ("", "no token that can be read"),
    ],
)
def test_what_is_wrong_with_a_token_is_said(tokens: Tokens, text: str, says: str) -> None:
    with pytest.raises(TokenError, match=says) as refused:
        tokens.read(text)
    assert refused.value.status == 401
    assert SECRET.decode() not in str(refused.value)


def test_a_public_key_is_no_secret_to_sign_with(tokens: Tokens) -> None:
    """CVE-2015-9235: the server's own public key taken for an HS256 secret."""
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256"}).encode()).rstrip(b"=")
    claims = {"aud": "signstream", "exp": time.time() + 60, "grants": ["admin"]}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    forged = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = base64.urlsafe_b64encode(forged.sign(head + b"." + body, pem(ED25519))).rstrip(b"=")
    with pytest.raises(TokenError, match="not signed"):
        tokens.read(b".".join([head, body, signature]).decode())


@pytest.mark.parametrize(
    ("grant", "session", "says"),
    [
        ("subscribe", "room-5", "does not grant"),
        ("publish", "hall-5", "not for this session"),
        ("publish", None, r"\?session="),
    ],
)
def test_a_token_is_good_for_what_it_grants_only(tokens: Tokens, grant: Any, session: Any, says: str) -> None:
    with pytest.raises(TokenError, match=says) as refused:
        tokens.read(signed()).require(grant, session)
    assert refused.value.status == 403


def test_without_a_pattern_it_is_for_every_session(tokens: Tokens) -> None:
    token = tokens.read(signed(session=None))
    token.require("publish", None)
    token.require("publish", "any-session-there-is")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"short", "5 bytes"),
        (private_pem(ED25519), "private key"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "not a public key"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "Ed25519 is needed"),
    ],
)
def test_a_key_file_that_is_none_is_refused_by_name(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "server.key"
    path.write_bytes(content)
    with pytest.raises(KeyFileError, match=says) as refused:
        read_key(path)
    assert "server.key" in str(refused.value)
    with pytest.raises(KeyFileError, match="No such file"):
        read_key(tmp_path / "missing")


def test_a_key_is_never_printed(keys: tuple[Path, Path]) -> None:
    assert SECRET.decode() not in repr(read_key(keys[0]))
