"""Servers as people run them: with TLS and a password, and a Cluster."""

import asyncio
import contextlib
import datetime
import ipaddress
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis.asyncio import Redis

from shared import connection, keys
from tests.conftest import free_port, redis_server_binary
from tests.shared.faust_redis.conftest import make_app, running, until
from tests.workers.recognizers.conftest import TinyModel, make_window
from workers.recognizers.app import serve_models
from workers.recognizers.results import Results

PASSWORD = "s3cret"


@contextlib.contextmanager
def server(folder: Path, *options: str, **client: Any) -> Iterator[redis.Redis]:
    """A Redis with these options, and a client of it."""
    command = [redis_server_binary(), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        with redis.Redis(host="127.0.0.1", **client) as asking:
            for _ in range(500):
                with contextlib.suppress(redis.ConnectionError, redis.BusyLoadingError):
                    asking.ping()
                    break
                assert process.poll() is None, "this redis-server does not take these options"
                process_wait(process)
            yield asking
    finally:
        process.terminate()
        process.wait(10)


def process_wait(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.02)


def certify(folder: Path) -> None:
    """Our own authority `ca.crt`, and a certificate of 127.0.0.1 by it: `redis.crt`, `redis.key`."""
    now = datetime.datetime.now(datetime.UTC)
    keys_of = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("ca", "redis")}
    for name, key in keys_of.items():
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=name == "ca", path_length=None), critical=True)
        )
        if name == "redis":
            here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(x509.SubjectAlternativeName([here]), critical=False)
        made = builder.sign(keys_of["ca"], hashes.SHA256())
        (folder / f"{name}.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        (folder / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


def takes_tls() -> bool:
    linked = subprocess.run(["ldd", redis_server_binary()], capture_output=True, check=False)
    return b"libssl" in linked.stdout


async def test_messages_travel_through_tls_with_a_password(tmp_path: Path) -> None:
    if not takes_tls():
        pytest.skip("this redis-server was built without TLS")
    certify(tmp_path)
    port = free_port()
    tls = ["--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no", "--requirepass", PASSWORD]
    tls += ["--tls-cert-file", str(tmp_path / "redis.crt"), "--tls-key-file", str(tmp_path / "redis.key")]
    authority = str(tmp_path / "ca.crt")
    with server(tmp_path, *tls, port=port, password=PASSWORD, ssl=True, ssl_ca_certs=authority):
        url = f"rediss://:{PASSWORD}@127.0.0.1:{port}/0?ssl_ca_certs={authority}"
        app, got = make_app(url), list[bytes]()
        topic = app.topic("greetings", value_type=bytes)

        @app.agent(topic)
        async def read(stream: Any) -> None:
            async for value in stream:
                got.append(value)

        async with running(app):
            await topic.send(value=b"through TLS")
            await until(lambda: got == [b"through TLS"])
        async with connection.connect(url) as store:
            assert await store.ping()
        async with connection.connect(url.replace(PASSWORD, "wrong")) as stranger:
            with pytest.raises(redis.AuthenticationError):
                await stranger.ping()
        async with connection.connect(url.split("?", maxsplit=1)[0]) as trusting_others:
            with pytest.raises(redis.ConnectionError, match="certificate"):
                await trusting_others.ping()


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[str]:
    """URL of a Cluster of one node, which refuses commands on keys of two slots."""
    port = free_port()
    options = ["--port", str(port), "--cluster-enabled", "yes", "--cluster-port", str(free_port())]
    with server(tmp_path, *options, port=port) as node:
        ask: Any = node.execute_command
        ask("CLUSTER ADDSLOTS", *range(16384))
        await until(lambda: b"cluster_state:ok" in _info(node))
        with pytest.raises(redis.exceptions.ClusterCrossSlotError):
            ask("MGET", "a", "b")
        yield f"redis://127.0.0.1:{port}/0"


def _info(node: redis.Redis) -> bytes:
    ask: Any = node.execute_command
    answer = ask("CLUSTER INFO")
    return answer if isinstance(answer, bytes) else str(answer).replace("': '", ":").encode()


async def test_an_app_reads_topics_of_several_slots(cluster: str) -> None:
    app, got = make_app(cluster), list[tuple[str, bytes]]()
    topics = [app.topic(f"topic-{number}", value_type=bytes) for number in range(3)]

    def reads(topic: Any) -> None:
        @app.agent(topic, name=topic.get_topic_name())
        async def read(stream: Any) -> None:
            async for value in stream:
                got.append((topic.get_topic_name(), value))

    for topic in topics:
        reads(topic)
    async with running(app) as consumer:
        for number in range(30):
            await topics[number % 3].send(value=b"%d" % number)
        await until(lambda: len(got) == 30)
        await until(lambda: consumer.counts.settled == 30)
    assert sorted(int(value) for _, value in got) == list(range(30))


async def test_the_recognizers_of_two_models_work_on_a_cluster(cluster: str) -> None:
    sessions = [keys.new_session_id() for _ in range(3)]
    stop = asyncio.Event()
    serving = asyncio.create_task(
        serve_models(cluster, {"tiny": TinyModel(), "small": TinyModel()}, stop=stop)
    )
    async with Redis.from_url(cluster) as store:
        for one in sessions:
            await store.hset(keys.session(one), "state", "live")
            for model in ("tiny", "small"):
                await store.xadd(keys.windows(model), {"v": make_window(one, model=model).pack()})
        for one in sessions:
            await until(lambda one=one: _has_two(store, one))  # type: ignore[misc]
        stop.set()
        await serving
        written = await Results(store).write({one: [b"a", b"b"] for one in sessions})
    assert written == dict.fromkeys(sessions, True)


async def _has_two(store: Redis, session: str) -> bool:
    return int(await store.xlen(keys.results(session))) == 2
