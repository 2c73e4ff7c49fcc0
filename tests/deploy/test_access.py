"""The commands that make secrets and tokens."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from deploy.cli import commands
from gateway.tokens import Tokens, read_key

RUN = CliRunner()


def test_a_token_opens_what_it_says_on_the_server_with_that_key(tmp_path: Path) -> None:
    made = RUN.invoke(commands, ["credentials", str(tmp_path / "secrets")])
    assert made.exit_code == 0, made.output
    key = tmp_path / "secrets" / "gateway" / "token-key"
    words = ["token", "--key", str(key), "--grant", "subscribe", "--session", "room-*"]
    token = RUN.invoke(commands, words).output.strip()
    read = Tokens([read_key(key)], "signstream").read(token)
    assert read.grants == {"subscribe"}
    assert read.session == "room-*"


def test_a_page_is_opened_with_all_that_it_needs(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 32)
    words = ["token", "--key", str(tmp_path / "key"), "--page", "http://localhost:8080/"]
    address, _, token = RUN.invoke(commands, words).output.strip().partition("#token=")
    assert address == "http://localhost:8080/"
    grants = Tokens([read_key(tmp_path / "key")], "signstream").read(token).grants
    assert grants == {"publish", "subscribe", "upload"}


def test_a_private_key_signs_what_the_public_one_checks(tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    pem, raw = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (tmp_path / "private").write_bytes(private.private_bytes(pem, raw, serialization.NoEncryption()))
    (tmp_path / "public").write_bytes(
        private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    token = RUN.invoke(commands, ["token", "--key", str(tmp_path / "private")]).output.strip()
    assert Tokens([read_key(tmp_path / "public")], "signstream").read(token).grants
    refused = RUN.invoke(commands, ["token", "--key", str(tmp_path / "public")])
    assert refused.exit_code == 2
    assert "private" in refused.output


@pytest.mark.parametrize("words", [["token", "--key", "/nowhere"], ["credentials", "/proc/nowhere"]])
def test_what_cannot_be_read_or_written_is_said(words: list[str]) -> None:
    refused = RUN.invoke(commands, words)
    assert refused.exit_code == 2
    assert "nowhere" in refused.output
