"""Commands for who may get in: `signstream credentials` and `signstream token`."""

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

WRONG_USE = 2
LONGEST_HOURS = 10 * 366 * 24


class Grant(StrEnum):
    """What a token is for; docs/protocol.md says which route wants which."""

    publish = "publish"
    subscribe = "subscribe"
    upload = "upload"
    admin = "admin"


def credentials(
    folder: Annotated[Path, typer.Argument(help="Where they go; a folder for each who reads them.")],
    redis: Annotated[str, typer.Option(help="Name or address under which the stages reach Redis.")] = "redis",
    seen_at: Annotated[
        str, typer.Option(help="Where each reader has its folder mounted; where it is by default.")
    ] = "",
) -> None:
    """Makes the secrets of a deployment that are missing. Example: signstream credentials secrets"""
    from deploy.credentials import make

    try:
        make(folder, redis, seen_at)
    except OSError as error:
        typer.echo(f"signstream: {error}", err=True)
        raise typer.Exit(WRONG_USE) from error
    typer.echo(f"Passwords, keys and certificates are in {folder}; keep it to yourself.")


def token(
    key: Annotated[Path, typer.Option(help="File with the server's secret, or a private Ed25519 key.")],
    grant: Annotated[list[Grant] | None, typer.Option(help="May be given several times.")] = None,
    session: Annotated[str, typer.Option(help="Which sessions' ids; `*` stands for any characters.")] = "*",
    hours: Annotated[float, typer.Option(help="How long it is good.", min=0.01, max=LONGEST_HOURS)] = 12,
    audience: Annotated[str, typer.Option(help="SIGNSTREAM_TOKEN_AUDIENCE of the server.")] = "signstream",
    page: Annotated[str, typer.Option(help="URL of a server: prints its address with the token.")] = "",
) -> None:
    """Prints a token. Example: signstream token --key token-key --grant publish --grant subscribe"""
    import jwt

    material = _material(key)
    algorithm = "EdDSA" if "PRIVATE KEY" in material else "HS256"
    grants = [str(one) for one in grant or (Grant.publish, Grant.subscribe, Grant.upload)]
    claims = {"aud": audience, "exp": int(time.time() + hours * 3600), "grants": grants, "session": session}
    made = jwt.encode(claims, material, algorithm)
    typer.echo(f"{page.rstrip('/')}/#token={made}" if page else made)


def _material(key: Path) -> str:
    try:
        material = key.read_text("ascii").strip()
    except (OSError, UnicodeError) as error:
        typer.echo(f"signstream: {key} cannot be read: {error}", err=True)
        raise typer.Exit(WRONG_USE) from error
    if "PUBLIC KEY" in material:
        typer.echo(f"signstream: {key} holds a public key; tokens are signed with the private one", err=True)
        raise typer.Exit(WRONG_USE)
    return material
