"""Every setting, from the environment, with its default and its reason. One prefix: SIGNSTREAM_."""

import difflib
import os
import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.setting_values import (
    COLLECTOR,
    ORIGIN,
    STUN_URL,
    TURN_URL,
    is_address,
    is_loopback,
    is_network,
    listed,
    port_range,
)

PREFIX = "SIGNSTREAM_"

FILE_SUFFIX = "_FILE"
"""`SIGNSTREAM_REDIS_URL_FILE=/run/secrets/redis-url` stands for what is in that file."""

PROVIDERS = ("cpu", "cuda", "openvino")

SESSIONS_A_CORE = {"tracker": 5, "mediapipe": 2}
"""Live sessions at 15 landmarked pictures a second, before a worker has measured what its own cost: about 11
and 32 ms of CPU a picture at 720p, with decoding."""


class SettingsError(ValueError):
    """A setting is unknown or wrong; the message names it and says what would be right."""


class Settings(BaseSettings):
    """What the stages share. Read it with `load()`, which refuses names it does not know."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    redis_url: str = Field("", description="Redis to use; empty: `signstream up` starts one of its own.")
    broker: str = Field("", description="Faust's broker for the windows; empty: the same Redis.")
    host: str = Field("127.0.0.1", description="Address the gateway's HTTP listens on.")
    port: int = Field(8080, ge=0, le=65535, description="TCP port of the gateway; 0 takes a free one.")
    token_keys: str = Field(
        "",
        description="Comma-separated key files that check tokens; none: no tokens, and loopback only.",
    )
    token_audience: str = Field("signstream", description="What a token's `aud` must name.")
    token: str = Field(
        "",
        repr=False,
        description="The token that `signstream recognize --server` and `bench` show a server.",
    )
    origins: str = Field(
        "",
        description="Comma-separated origins (https://HOST) whose pages may publish and listen beside our"
        " own; `*`: all.",
    )
    proxies: str = Field(
        "",
        description="Comma-separated addresses or networks of proxies before the gateway, whose"
        " X-Forwarded-For is believed.",
    )
    requests_per_address: float = Field(
        100.0,
        ge=0,
        description="Requests a second taken from one address where there are keys, ten times as many at"
        " once; 0: no limit.",
    )
    keep_seconds: int = Field(
        3600,
        ge=60,
        le=30 * 86400,
        description="How long an ended session's glosses and state are kept; its video never is.",
    )
    ice_addresses: str = Field(
        "127.0.0.1", description="Comma-separated local addresses offered to cameras for media."
    )
    ice_advertised: str = Field(
        "",
        description="IP address told to cameras in place of the local one (one-to-one NAT); empty: itself.",
    )
    udp_ports: str = Field(
        "", description="UDP ports for media, LOW-HIGH, one a camera and address; empty: any free one."
    )
    stun_urls: str = Field("", description="Comma-separated STUN servers told to browsers; none by default.")
    turn_urls: str = Field("", description="Comma-separated TURN servers told to browsers; none by default.")
    turn_secret: str = Field(
        "", repr=False, description="What the TURN server has as `static-auth-secret` (coturn)."
    )
    turn_seconds: int = Field(
        6 * 3600, ge=60, le=7 * 86400, description="How long a TURN login lives; longer than a session."
    )
    ice_relay_only: bool = Field(
        False, description="Offer cameras only relays of the TURN server: no UDP port of ours is open."
    )
    models: str = Field("asl-words", description="Comma-separated models that run; the first is the default.")
    models_folder: str = Field(
        "",
        description="Folder of further bundles, all of which run, and may come and go meanwhile;"
        " empty: `signstream/models` in the user's data folder.",
    )
    execution_providers: str = Field(
        "cpu", description="What models run on, comma-separated, the first that can: cpu, cuda, openvino."
    )
    model_threads: int = Field(
        0, ge=0, le=256, description="Most threads a window; 0: the cores we may use, where they pay."
    )
    metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="TCP port for a process's `/metrics`, `/healthz` and `/readyz`; 0: none."
        " Under `signstream up` the first of as many as there are processes.",
    )
    metrics_host: str = Field("127.0.0.1", description="Address that METRICS_PORT listens on.")
    keypoint_workers: int = Field(
        0, ge=0, le=256, description="Keypoint processes `signstream up` starts; 0: one a core."
    )
    sessions_per_worker: int = Field(
        0,
        ge=0,
        le=256,
        description="Sessions one keypoint process takes on; 0: as many as the CPU they really use allows.",
    )
    worker_hours: float = Field(
        0.0, ge=0, description="A keypoint process this old hands its sessions on and ends; 0: never."
    )
    worker_mib: int = Field(
        0, ge=0, description="A keypoint process that holds this much memory does the same; 0: never."
    )
    cameras_per_gateway: int = Field(
        100, ge=1, le=10_000, description="Cameras one gateway holds; a core carries about as many."
    )
    publishers_per_gateway: int = Field(
        100, ge=1, le=10_000, description="Publishers of landmarks one gateway holds."
    )
    uploads_per_gateway: int = Field(
        32, ge=1, le=10_000, description="Files one gateway reads at a time; each is a temporary file."
    )
    when_full: Literal["refuse", "queue"] = Field(
        "refuse", description="A camera that no keypoint worker has room for: refuse it (503), or queue it."
    )
    queue_length: int = Field(
        100, ge=1, le=10_000, description="Sessions that may wait for a keypoint worker; files always wait."
    )
    extractor: Literal["mediapipe", "tracker"] = Field(
        "tracker",
        description="What finds landmarks: `tracker`, or `mediapipe` (Holistic itself, five times the CPU).",
    )
    precision: Literal["auto", "bf16", "int8", "f32"] = Field(
        "auto",
        description="Numbers the tracker computes with; auto: the quickest the CPU has, bf16, int8 or f32.",
    )
    rewrite_url: str = Field(
        "",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="Base URL of a service with OpenAI's chat completions, such as `http://127.0.0.1:8000/v1`,"
        " that may rewrite glosses as sentences; empty: none, and nothing is sent anywhere.",
    )
    rewrite_model: str = Field("", description="The model that service is asked for.")
    rewrite_key: str = Field("", repr=False, description="What that service wants as a bearer token.")
    rewrite_seconds: float = Field(
        10.0, gt=0, le=60, description="How long a sentence is waited for before it stays as it is."
    )
    video_bitrate: int = Field(
        2_000_000, ge=100_000, le=50_000_000, description="Bits a second asked of a camera (REMB)."
    )
    upload_bytes: int = Field(1 << 30, ge=1, description="Largest video taken, in bytes.")
    upload_seconds: float = Field(4 * 3600.0, gt=0, description="Longest video taken, in seconds.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged.")
    log_format: Literal["text", "json"] = Field(
        "text", description="A line for people, or a JSON object with the session's id in it."
    )
    otlp_endpoint: str = Field(
        "", description="OpenTelemetry collector for traces (OTLP over HTTP), http://HOST:4318; empty: none."
    )
    trace_share: float = Field(
        0.02, ge=0, le=1, description="Share of all frames that traces follow from the camera to the gloss."
    )
    data: str = Field("", description="Folder of the recordings that training and the tests read.")

    @model_validator(mode="after")
    def _loopback_without_tokens(self) -> Self:
        if self.token_key_list:
            return self
        for name, value in (("host", self.host), *(("ice_addresses", a) for a in self.ice_address_list)):
            if not is_loopback(value):
                raise ValueError(
                    f"{PREFIX}{name.upper()} is {value!r}: without tokens the server only binds to loopback;"
                    f" use 127.0.0.1, or set {PREFIX}TOKEN_KEYS"
                )
        return self

    @model_validator(mode="after")
    def _ice_fits_together(self) -> Self:
        if self.udp_ports and port_range(self.udp_ports) is None:
            raise ValueError(f"{PREFIX}UDP_PORTS is {self.udp_ports!r}; LOW-HIGH is needed, like 50000-50100")
        if self.ice_advertised and not is_address(self.ice_advertised):
            raise ValueError(f"{PREFIX}ICE_ADVERTISED is {self.ice_advertised!r}; an IP address is needed")
        if not self.ice_address_list and not self.ice_relay_only:
            raise ValueError(f"{PREFIX}ICE_ADDRESSES is empty; cameras need an address, or ICE_RELAY_ONLY")
        for name, pattern, right in (
            ("stun_urls", STUN_URL, "stun:HOST:PORT"),
            ("turn_urls", TURN_URL, "turn:HOST:PORT or turns:HOST:PORT, then ?transport=udp or tcp"),
        ):
            for url in listed(getattr(self, name)):
                if not pattern.fullmatch(url):
                    raise ValueError(f"{PREFIX}{name.upper()} has {url!r}; right would be {right}")
        if self.turn_urls and not self.turn_secret:
            raise ValueError(f"{PREFIX}TURN_URLS needs {PREFIX}TURN_SECRET, the server's static-auth-secret")
        if self.rewrite_url and not self.rewrite_model:
            raise ValueError(
                f"{PREFIX}REWRITE_URL needs {PREFIX}REWRITE_MODEL, the name the service knows it by"
            )
        if self.ice_relay_only and not self.turn_urls:
            raise ValueError(f"{PREFIX}ICE_RELAY_ONLY needs {PREFIX}TURN_URLS")
        return self

    @model_validator(mode="after")
    def _names_are_names(self) -> Self:
        for name, schemes in (
            ("redis_url", ("redis", "rediss", "unix")),
            ("broker", ("redis", "rediss", "kafka")),
        ):
            url = getattr(self, name)
            if url and url.partition("://")[0] not in schemes:
                allowed = ", ".join(f"{scheme}://" for scheme in schemes)
                raise ValueError(f"{PREFIX}{name.upper()} begins with none of {allowed}")
        if self.otlp_endpoint and not COLLECTOR.fullmatch(self.otlp_endpoint):
            raise ValueError(f"{PREFIX}OTLP_ENDPOINT is no http://HOST:PORT, such as http://localhost:4318")
        for origin in self.origin_list:
            if origin != "*" and not ORIGIN.fullmatch(origin):
                raise ValueError(f"{PREFIX}ORIGINS has {origin!r}; right would be https://HOST, or *")
        for proxy in listed(self.proxies):
            if not is_network(proxy):
                raise ValueError(f"{PREFIX}PROXIES has {proxy!r}; an IP address or network is needed")
        for provider in self.execution_provider_list:
            if provider not in PROVIDERS:
                allowed = ", ".join(PROVIDERS)
                raise ValueError(f"{PREFIX}EXECUTION_PROVIDERS has {provider!r}; allowed are {allowed}")
        for name in ("models", "execution_providers", "token_audience"):
            if not listed(getattr(self, name)):
                raise ValueError(
                    f"{PREFIX}{name.upper()} is empty; its default is in force where it is unset"
                )
        return self

    @property
    def origin_list(self) -> tuple[str, ...]:
        """Origins beside our own."""
        return listed(self.origins)

    @property
    def token_key_list(self) -> tuple[str, ...]:
        """Files with keys that tokens may be signed with."""
        return listed(self.token_keys)

    @property
    def udp_port_range(self) -> range | None:
        """The ports for media, or None for any."""
        return port_range(self.udp_ports)

    @property
    def stun_url_list(self) -> tuple[str, ...]:
        """The STUN servers for browsers."""
        return listed(self.stun_urls)

    @property
    def turn_url_list(self) -> tuple[str, ...]:
        """The TURN servers."""
        return listed(self.turn_urls)

    @property
    def model_list(self) -> tuple[str, ...]:
        """The models that run, in order."""
        return listed(self.models)

    @property
    def execution_provider_list(self) -> tuple[str, ...]:
        """What models run on, in order."""
        return listed(self.execution_providers)

    @property
    def ice_address_list(self) -> tuple[str, ...]:
        """The addresses offered for media."""
        return listed(self.ice_addresses)

    @property
    def models_folders(self) -> tuple[Path, ...]:
        """Folders searched for bundles after the shipped ones."""
        folder = self.added_models_folder
        return (folder,) if self.models_folder or folder.is_dir() else ()

    @property
    def watched_folders(self) -> tuple[Path, ...]:
        """Folders whose bundles all run, beside those that are named; looked at while we run."""
        return (self.added_models_folder,)

    @property
    def added_models_folder(self) -> Path:
        """Where `signstream models add` puts bundles; it need not be there yet."""
        if self.models_folder:
            return Path(self.models_folder)
        data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
        return Path(data) / "signstream" / "models"


def load(**overrides: object) -> Settings:
    """The settings in force: overrides (of a command line), then the environment, then defaults.

    Raises SettingsError naming every setting that is unknown or wrong.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    files = {name for name in known if name + FILE_SUFFIX in os.environ}
    unknown = sorted(
        name for name in os.environ if name.startswith(PREFIX) and name.removesuffix(FILE_SUFFIX) not in known
    )
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, 1)
        hint = f", perhaps {near[0]}" if near else ""
        raise SettingsError(
            f"unknown setting {', '.join(unknown)}{hint}; known are {', '.join(sorted(known))}"
        )
    given: dict[str, object] = {name.removeprefix(PREFIX).lower(): _from_file(name) for name in sorted(files)}
    given |= {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = []
        for detail in error.errors():
            lines.append(_complaint(detail))
        raise SettingsError("; ".join(lines)) from error


def _complaint(detail: Any) -> str:
    message = str(detail["msg"]).removeprefix("Value error, ")
    if not detail["loc"]:
        return message
    field = str(detail["loc"][0])
    given = "" if is_secret(field) else f" is {str(detail['input'])[:100]!r}"
    return f"{PREFIX}{field.upper()}{given}: {message}"


def is_secret(field: str) -> bool:
    """Whether a setting's value is never shown."""
    return field in Settings.model_fields and not Settings.model_fields[field].repr


def masked(field: str, value: object) -> str:
    """A setting's value as it may be shown: no secret, and no password within a URL."""
    if is_secret(field):
        return "***" if value else ""
    return re.sub(r"(?<=://)([^:@/]*):[^@/]*@", r"\1:***@", str(value))


def sources(**overrides: object) -> dict[str, str]:
    """By setting, where its value in force comes from: `command line`, `file`, `environment` or `default`."""
    found = {}
    for field in Settings.model_fields:
        name = PREFIX + field.upper()
        if overrides.get(field) is not None:
            found[field] = "command line"
        elif name + FILE_SUFFIX in os.environ:
            found[field] = f"file {os.environ[name + FILE_SUFFIX]}"
        else:
            found[field] = "environment" if os.environ.get(name) else "default"
    return found


def _from_file(name: str) -> str:
    """The setting's value where `NAME_FILE` names a file of it, as secrets are mounted into containers."""
    if os.environ.get(name):
        raise SettingsError(f"both {name} and {name}{FILE_SUFFIX} are set; one is needed")
    try:
        return Path(os.environ[name + FILE_SUFFIX]).read_text("utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"{name}{FILE_SUFFIX} cannot be read: {error}") from error
