"""deploy/compose.yaml without containers: each service a process in a network of its own.

The same commands and environment, the same addresses and names, the volumes as folders. The only ways in are
the ports that the file publishes. What Debian has no package for (Grafana, Kafka) is left out.
"""

import asyncio
import contextlib
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import psutil
import pytest
import redis.asyncio

from shared import connection
from tests.conftest import ROOT
from tests.deploy import composition
from tests.deploy.composition import Service
from tests.deploy.container_host import connected

PROGRAMS = {
    # By image, what its entry point puts before the command.
    "signstream-gateway": [sys.executable, "-m", "deploy.cli"],
    "signstream-keypoints": [sys.executable, "-m", "deploy.cli"],
    "signstream-recognizers": [sys.executable, "-m", "deploy.cli"],
    "redis:7.2-bookworm": [],
    "coturn/coturn:4.6-debian": ["turnserver"],
    "prom/prometheus:v2.53.4": ["prometheus"],
}

PACKAGES = {"redis-server": "redis-server", "turnserver": "coturn", "prometheus": "prometheus"}
TOOLS = {"unshare": "util-linux", "nsenter": "util-linux", "ip": "iproute2"}

HOST = "172.30.77.1"
"""The machine itself on the network of the file."""

OUTSIDE = "203.0.113.1"
"""And on the network where browsers are (RFC 5737)."""

BROWSER = "203.0.113.50"

READY_SECONDS = 180.0
STOP_SECONDS = 12.0

SET_UP = f"""
mount -t tmpfs tmpfs /run
mkdir /run/netns
mount --bind resolv.conf /etc/resolv.conf
ip link set lo up
for bridge in inner:{HOST} outer:{OUTSIDE}; do
  ip link add ${{bridge%:*}} type bridge
  ip addr add ${{bridge#*:}}/24 dev ${{bridge%:*}}
  ip link set ${{bridge%:*}} up
done
for place in $PLACES; do
  name=${{place%%:*}}; rest=${{place#*:}}
  ip netns add $name
  ip link add to-$name type veth peer name eth0 netns $name
  ip link set to-$name master ${{rest%:*}} up
  ip -n $name addr add ${{rest#*:}}/24 dev eth0
  ip -n $name link set eth0 up
  ip -n $name link set lo up
done
echo ready
exec cat
"""


class Topology:
    """A running one."""

    def __init__(self, folder: Path, services: Mapping[str, Service]) -> None:
        self.folder = folder
        self.services = dict(services)
        self.page = ""
        """What `welcome` says."""
        self.instead: dict[str, Path] = {}
        """What is mounted in place of a folder of the checkout."""
        self._holder: asyncio.subprocess.Process
        self._running: dict[str, asyncio.subprocess.Process] = {}

    def inside(self, place: str | None, *words: str) -> list[str]:
        """The command that runs `words` in a service's network, or on the machine itself."""
        enter = ["nsenter", f"--target={self._holder.pid}", "--user", "--mount", "--net"]
        enter += ["--preserve-credentials", f"--wd={ROOT}", "--"]
        return [*enter, *(("nsenter", f"--net=/run/netns/{place}", "--") if place else ()), *words]

    def secret(self, *path: str) -> Path:
        """A file that `credentials` made."""
        volume, *rest = path
        return self.folder / "secrets" / volume / Path(*rest)

    @property
    def token(self) -> str:
        """That of the page."""
        return self.page.partition("#token=")[2]

    def gateway(self) -> aiohttp.ClientSession:
        """A client that comes by the published port."""
        connector = aiohttp.UnixConnector(str(self.folder / "8080"))
        bearing = {"Authorization": f"Bearer {self.token}"}
        return aiohttp.ClientSession("http://localhost:8080", connector=connector, headers=bearing)

    def prometheus(self) -> aiohttp.ClientSession:
        """The same for Prometheus."""
        connector = aiohttp.UnixConnector(str(self.folder / "9090"))
        return aiohttp.ClientSession("http://localhost:9090", connector=connector)

    @contextlib.asynccontextmanager
    async def redis(self, user: str) -> AsyncIterator[redis.asyncio.Redis]:
        """A client as this user; the file publishes no port of Redis, so this is a way for the test alone."""

        async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await connected(asyncio.open_unix_connection(self.folder / "redis"), reader, writer)

        server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        url = self.secret(user, "redis-url").read_text().strip()
        async with server, connection.connect(re.sub(r"@redis:\d+/", f"@127.0.0.1:{port}/", url)) as client:
            yield client

    def browser(self, chromium: str) -> str:
        """Path of a program that starts Chromium in the outer network."""
        script = self.folder / "chromium"
        enter = " ".join(self.inside("browser", chromium))
        script.write_text(f'#!/bin/sh\nexec {enter} "$@"\n')
        script.chmod(0o755)
        return str(script)

    def log(self, name: str) -> str:
        """What a service has said so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def process(self, name: str) -> psutil.Process:
        """That of a running service."""
        return psutil.Process(self._running[name].pid)

    async def once(self, name: str) -> str:
        """Runs a service that ends, and returns what it printed."""
        command, environment = self._command(name)
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.PIPE, cwd=ROOT
        )
        said, _ = await asyncio.wait_for(process.communicate(), READY_SECONDS)
        assert process.returncode == 0, name
        return said.decode().strip()

    async def start(self, name: str, **changed: str) -> None:
        """A service, with other values of its environment where given."""
        command, environment = self._command(name)
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = await asyncio.create_subprocess_exec(
                *self.inside(name, "env", f"--chdir={self.folder}/tmp", *command),
                env=environment | changed,
                stdout=log,
                stderr=log,
            )

    async def stop(self, name: str, *, kill: bool = False) -> int:
        """Ends it as its supervisor would, or at once; returns its exit status."""
        process = self._running.pop(name)
        if process.returncode is None:
            if kill:
                process.kill()
            else:
                process.terminate()
        try:
            return await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise

    async def _stop_all(self) -> None:
        """Redis last: the others hand over to it."""
        late = self._running.keys() & {"redis"}
        await asyncio.gather(*(self.stop(name) for name in self._running.keys() - late))
        for name in late:
            await self.stop(name)

    async def ready(self) -> None:
        """Until the gateway says so."""
        said = "nothing"
        try:
            async with asyncio.timeout(READY_SECONDS), self.gateway() as http:
                while True:
                    ended = [
                        name for name, process in self._running.items() if process.returncode is not None
                    ]
                    assert not ended, [(name, self.log(name)[-3000:]) for name in ended]
                    with contextlib.suppress(aiohttp.ClientError):
                        async with http.get("/readyz") as answer:
                            if answer.status == 200:
                                return
                            said = await answer.text()
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError((said, {name: self.log(name)[-2000:] for name in self._running})) from None

    def _command(self, name: str) -> tuple[list[str], dict[str, str]]:
        """As its image would run it, with the volumes' folders in place of where they are mounted."""
        service = self.services[name]
        seen = {"/tmp": str(self.folder / "tmp")} if "/tmp" in service.get("tmpfs", []) else {}
        for where, source in composition.mounts(service).items():
            there = self.source(source)
            seen[where] = str(self._rewritten(there, service) if there.is_file() else there)
        words = list(service["command"])
        if name == "credentials":
            # All its volumes lie in one folder, and are seen where they are.
            seen["/secrets"] = str(self.folder / "secrets")
            words = words[: words.index("--seen-at")]
        given = {key: str(value) for key, value in service.get("environment", {}).items()}
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "tmp"), "PYTHONPATH": str(ROOT)}
        # Of the machine: Matplotlib, which MediaPipe wants, takes seconds to look at all fonts again.
        environment["XDG_CACHE_HOME"] = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
        environment |= {key: _placed(value, seen) for key, value in given.items()}
        # The program is the machine's, wherever this checkout lies.
        return [*PROGRAMS[service["image"]], *(_placed(word, seen) for word in words)], environment

    def source(self, source: str) -> Path:
        """The folder or file of a volume: `redis-secrets` is `secrets/redis`."""
        if source.startswith("."):
            return self.instead.get(source) or (ROOT / "deploy" / source).resolve()
        return self.folder.joinpath(*reversed(source.split("-")))

    def _rewritten(self, file: Path, service: Service) -> Path:
        """A configuration with the folders in place of where they would be mounted."""
        volumes = {w: s for w, s in composition.mounts(service).items() if not s.startswith(".")}
        seen = {where: str(self.source(source)) for where, source in volumes.items()}
        (self.folder / file.name).write_text(_placed(file.read_text(), seen))
        return self.folder / file.name

    @contextlib.asynccontextmanager
    async def network(self) -> AsyncIterator[None]:
        """The networks, a name server, and the published ports. Skips where namespaces cannot be made."""
        inner = {name: composition.address(s) for name, s in self.services.items() if "network_mode" not in s}
        free = iter(range(20, 250))
        inner = {name: found or f"172.30.77.{next(free)}" for name, found in inner.items()}
        places = " ".join([*(f"{n}:inner:{a}" for n, a in inner.items()), f"browser:outer:{BROWSER}"])
        (self.folder / "resolv.conf").write_text(f"nameserver {HOST}\n")
        self._holder = await asyncio.create_subprocess_exec(
            *("unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-euc", SET_UP),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.folder,
            env={**os.environ, "PLACES": places},
        )
        assert self._holder.stdin and self._holder.stdout and self._holder.stderr  # noqa: PT018
        try:
            if await asyncio.wait_for(self._holder.stdout.readline(), 10) != b"ready\n":
                said = (await self._holder.stderr.read()).decode().strip()
                pytest.skip(f"no network namespace can be made here: {said}")
            async with self._machine(inner):
                try:
                    yield
                finally:
                    await self._stop_all()
        finally:
            self._holder.stdin.close()
            await self._holder.wait()

    @contextlib.asynccontextmanager
    async def _machine(self, inner: Mapping[str, str]) -> AsyncIterator[None]:
        published: list[tuple[str | int, ...]] = []
        for name, service in self.services.items():
            for port in service.get("ports", []):
                _, here, there = port.split(":")
                there, _, protocol = there.partition("/")
                published.append((protocol or "tcp", OUTSIDE, int(here), inner[name], int(there)))
                if protocol in ("", "tcp"):
                    published.append(("unix", str(self.folder / here), inner[name], int(there)))
        published.append(("unix", str(self.folder / "redis"), inner["redis"], 6379))
        said = {"address": HOST, "names": {n: [a] for n, a in inner.items()}, "published": published}
        process = await asyncio.create_subprocess_exec(
            *self.inside(None, sys.executable, "-m", "tests.deploy.container_host", json.dumps(said)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin and process.stdout  # noqa: PT018
        try:
            assert await asyncio.wait_for(process.stdout.readline(), 10) == b"ready\n"
            yield
        finally:
            process.stdin.close()
            await process.wait()


@contextlib.asynccontextmanager
async def running_topology(folder: Path, **environment: str) -> AsyncIterator[Topology]:
    """Up and ready inside; skips with the reason where the machine lacks a part of it."""
    for tool, package in (TOOLS | PACKAGES).items():
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool}: apt-get install {package}")
    known = {n: s for n, s in composition.services(environment).items() if s["image"] in PROGRAMS}
    topology = Topology(folder, known)
    for volume in {
        v for s in known.values() for v in composition.mounts(s).values() if not v.startswith(".")
    }:
        topology.source(volume).mkdir(parents=True)
    (folder / "tmp").mkdir()
    await topology.once("credentials")
    async with topology.network():
        topology.page = await topology.once("welcome")
        hurry(topology)
        for name in ("redis", "coturn", "prometheus", "gateway", "keypoints", "recognizers"):
            await topology.start(name)
        await topology.ready()
        yield topology


def hurry(topology: Topology) -> None:
    """Prometheus asks twice a second, and minutes of its rules are seconds; causes stay real."""
    there, shipped = topology.folder / "hurried", ROOT / "deploy" / "prometheus"
    there.mkdir()
    for file in shipped.iterdir():
        text = re.sub(
            r"(scrape_interval|evaluation_interval|refresh_interval): 5s", r"\1: 500ms", file.read_text()
        )
        text = text.replace("scrape_timeout: 4s", "scrape_timeout: 500ms")
        text = re.sub(r"\[5m\]", "[5s]", re.sub(r"for: \d+[ms]", "for: 1s", text))
        (there / file.name).write_text(text)
    topology.instead["./prometheus"] = there


def _placed(text: str, seen: Mapping[str, str]) -> str:
    """With each mount point's folder in its place."""
    if not seen:
        return text
    points = "|".join(re.escape(where) for where in sorted(seen, key=len, reverse=True))
    return re.sub(rf"(?<![\w.])(?:{points})(?!\w)", lambda found: seen[found[0]], text)
