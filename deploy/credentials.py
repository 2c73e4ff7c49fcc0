"""Fresh passwords, keys and certificates for a deployment, one folder for each who may read them.

Nothing that is there is made anew, so running it again adds what is missing and changes nothing else. To
change one secret, delete its file and run it again.
"""

import datetime
import hashlib
import ipaddress
import secrets
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

STAGES = ("gateway", "keypoints", "recognizers")

USERS = (*STAGES, "operator")
"""Of Redis; each has a password."""

TEMPLATE = Path(__file__).parent / "redis" / "users.acl"

CERTIFICATE_DAYS = 3650
"""As long as a deployment of one machine may live; nobody else trusts this authority."""

REDIS_PORT = 6379


def acl(template: str, passwords: Mapping[str, str]) -> str:
    """Redis's ACL file: one line a user, sums in place of passwords. KeyError for a user without one."""
    users: list[str] = []
    for line in template.splitlines():
        if line.startswith("  "):
            users[-1] += " " + line.strip()
        elif line and not line.startswith("#"):
            users.append(line.strip())
    text = "\n".join(users) + "\n"
    for name in USERS:
        text = text.replace(f"@{name}@", hashlib.sha256(passwords[name].encode()).hexdigest())
    return text


def make(folder: Path, redis_host: str, seen_at: str = "") -> None:
    """Makes what is missing. `seen_at` is where each reader has its own folder mounted; empty: where it is.

    Raises OSError where the folder cannot be written.
    """
    # Whoever may not look in here reads nothing; each folder alone is mounted for one reader of another id.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in (*USERS, "redis", "coturn"):
        (folder / name).mkdir(exist_ok=True)
    passwords = {name: _kept(folder / name / "redis-password", _password) for name in USERS}
    (folder / "redis" / "users.acl").write_text(acl(TEMPLATE.read_text("utf-8"), passwords))
    authority = _certificates(folder / "redis", [redis_host, "localhost", "127.0.0.1"])
    for name in USERS:
        (folder / name / "ca.crt").write_bytes(authority)
        place = seen_at or str((folder / name).absolute())
        url = redis_url(name, passwords[name], redis_host, f"{place}/ca.crt")
        (folder / name / "redis-url").write_text(url + "\n")
    _kept(folder / "gateway" / "token-key", _password)
    turn = _kept(folder / "gateway" / "turn-secret", _password)
    (folder / "coturn" / "turnserver.conf").write_text(f"use-auth-secret\nstatic-auth-secret={turn}\n")


def redis_url(user: str, password: str, host: str, authority: str) -> str:
    """What SIGNSTREAM_REDIS_URL is for one stage."""
    trusted = urllib.parse.quote(authority, safe="/")
    return f"rediss://{user}:{password}@{host}:{REDIS_PORT}/0?ssl_ca_certs={trusted}"


def _password() -> str:
    return secrets.token_urlsafe(32)


def _kept(path: Path, fresh: Callable[[], str]) -> str:
    if not path.exists():
        path.write_text(fresh() + "\n")
    return path.read_text().strip()


def _certificates(folder: Path, names: Sequence[str]) -> bytes:
    """The authority's certificate; `server.crt` and `server.key` beside it. Its own key is thrown away."""
    if all((folder / name).exists() for name in ("ca.crt", "server.crt", "server.key")):
        return (folder / "ca.crt").read_bytes()
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name = _name("Signstream's own authority")
    authority = (
        _certificate(authority_name, authority_key.public_key(), authority_name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    server = (
        _certificate(_name(names[0]), server_key.public_key(), authority_name)
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    (folder / "ca.crt").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    (folder / "server.crt").write_bytes(server.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return (folder / "ca.crt").read_bytes()


def _certificate(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=CERTIFICATE_DAYS))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
