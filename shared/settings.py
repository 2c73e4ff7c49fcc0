"""Every setting, from the environment, with its default and its reason. One prefix: SIGNSTREAM_."""

import ipaddress
import os
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "SIGNSTREAM_"

SESSIONS_A_CORE = {"tracker": 5, "mediapipe": 2}
"""Live sessions at 15 landmarked pictures a second: about 11 and 32 ms of CPU each at 720p, with decoding."""


class SettingsError(ValueError):
    """A setting is unknown or wrong; the message names it and says what would be right."""


class Settings(BaseSettings):
    """What the stages share. Read it with `load()`, which refuses names it does not know."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    redis_url: str = Field("", description="Redis to use; empty: `signstream up` starts one of its own.")
    broker: str = Field("", description="Faust's broker for the windows; empty: the same Redis.")
    host: str = Field("127.0.0.1", description="Address the gateway's HTTP listens on.")
    port: int = Field(8080, ge=0, le=65535, description="TCP port of the gateway; 0 takes a free one.")
    ice_addresses: str = Field(
        "127.0.0.1", description="Comma-separated local addresses offered to cameras for media."
    )
    models: str = Field("asl-words", description="Comma-separated models that run; the first is the default.")
    models_folder: str = Field("", description="Folder of further bundles, beside the shipped ones.")
    keypoint_workers: int = Field(
        0, ge=0, le=256, description="Keypoint processes `signstream up` starts; 0: one a core."
    )
    sessions_per_worker: int = Field(
        0,
        ge=0,
        le=256,
        description="Sessions one keypoint process takes on; 0: as one core carries, 5 or (`mediapipe`) 2.",
    )
    extractor: str = Field(
        "tracker",
        pattern="^(mediapipe|tracker)$",
        description="What finds landmarks: `tracker`, or `mediapipe` (Holistic itself, five times the CPU).",
    )
    precision: str = Field(
        "auto",
        pattern="^(auto|bf16|f32)$",
        description="Numbers the tracker computes with; auto: bf16 where the CPU multiplies it, else f32.",
    )
    video_bitrate: int = Field(
        2_000_000, ge=100_000, le=50_000_000, description="Bits a second asked of a camera (REMB)."
    )
    upload_bytes: int = Field(1 << 30, ge=1, description="Largest video taken, in bytes.")
    upload_seconds: float = Field(4 * 3600.0, gt=0, description="Longest video taken, in seconds.")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level logged.")
    data: str = Field("", description="Folder of the recordings that training and the tests read.")

    @model_validator(mode="after")
    def _loopback_without_tokens(self) -> Self:
        # Tokens do not exist yet, so nobody outside this machine may reach the server.
        for name, value in (("host", self.host), *(("ice_addresses", a) for a in self.ice_address_list)):
            if not _is_loopback(value):
                raise ValueError(
                    f"{PREFIX}{name.upper()} is {value!r}: without tokens the server only binds to loopback;"
                    " use 127.0.0.1 and put a proxy that checks its users before it"
                )
        return self

    @property
    def model_list(self) -> tuple[str, ...]:
        """The models that run, in order."""
        return tuple(name.strip() for name in self.models.split(",") if name.strip())

    @property
    def room(self) -> int:
        """Sessions one keypoint process takes on."""
        return self.sessions_per_worker or SESSIONS_A_CORE[self.extractor]

    @property
    def ice_address_list(self) -> tuple[str, ...]:
        """The addresses offered for media."""
        return tuple(address.strip() for address in self.ice_addresses.split(",") if address.strip())

    @property
    def models_folders(self) -> tuple[Path, ...]:
        """Folders searched for bundles after the shipped ones."""
        return (Path(self.models_folder),) if self.models_folder else ()


def load(**overrides: object) -> Settings:
    """The settings in force: overrides (of a command line), then the environment, then defaults.

    Raises SettingsError naming every setting that is unknown or wrong.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise SettingsError(f"unknown setting {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = []
        for detail in error.errors():
            name = PREFIX + str(detail["loc"][0]).upper() + ": " if detail["loc"] else ""
            lines.append(name + detail["msg"].removeprefix("Value error, "))
        raise SettingsError("; ".join(lines)) from error


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
