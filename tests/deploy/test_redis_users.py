"""Each stage's Redis user can do what its stage does, and no more."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import redis
import redis.asyncio
from redis.exceptions import NoPermissionError

from deploy import credentials
from shared import connection, fence, keys
from tests.deploy.secured_redis import SecuredRedis, secured_redis

ID = "A" * 22
MODEL = "asl-words"

Words = tuple[str | int, ...]

EVERY_KEY = {
    "sessions": keys.SESSIONS,
    "session": keys.session(ID),
    "frames": keys.frames(ID),
    "results": keys.results(ID),
    "glosses": keys.glosses(ID),
    "state": keys.state(ID, MODEL),
    "windows": keys.windows(MODEL),
    "keypoints' word": keys.stage("keypoints", "one"),
    "recognizers' word": keys.stage("recognizers", "one"),
    "token": keys.used_token("one"),
    "another's key": "another",
}

MAY_READ = {
    "gateway": {"sessions", "session", "frames", "results", "glosses", "windows"}
    | {"keypoints' word", "recognizers' word"},
    "keypoints": {"sessions", "session", "frames", "results", "keypoints' word"},
    "recognizers": {"session", "results", "state", "windows"},
}

MAY_WRITE = {
    "gateway": {"sessions", "session", "frames", "results", "glosses", "state", "token"},
    "keypoints": {"sessions", "session", "frames", "results", "windows", "keypoints' word"},
    "recognizers": {"results", "state", "windows", "recognizers' word"},
}

READING: dict[str, list[Words]] = {
    "stream": [("XRANGE", "KEY", "-", "+"), ("XREAD", "STREAMS", "KEY", "0"), ("XREVRANGE", "KEY", "+", "-")],
    "hash": [("HGET", "KEY", "state"), ("HGETALL", "KEY")],
    "string": [("GET", "KEY"), ("MGET", "KEY")],
}

WRITING: dict[str, list[Words]] = {
    "stream": [
        ("XADD", "KEY", "*", "f", "v"),
        ("XTRIM", "KEY", "MAXLEN", 0),
        ("XDEL", "KEY", "1-1"),
        ("XACK", "KEY", "g", "1-1"),
        ("XGROUP", "CREATE", "KEY", "g", "0", "MKSTREAM"),
    ],
    "hash": [("HSET", "KEY", "f", "v"), ("HINCRBY", "KEY", "f", 1)],
    "string": [("SET", "KEY", "v", "EX", 5)],
    "any": [("DEL", "KEY"), ("EXPIRE", "KEY", 5)],
}

KIND = dict.fromkeys(("sessions", "frames", "results", "glosses", "windows"), "stream")
KIND |= {"session": "hash", "state": "hash"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecuredRedis]:
    """As deployed."""
    async with secured_redis(tmp_path_factory.mktemp("secured")) as server:
        yield server


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def command(client: redis.asyncio.Redis, *words: str | int) -> None:
    """Any command; what it answers does not count."""
    await client.execute_command(*words)  # type: ignore[no-untyped-call]


async def refused(client: redis.asyncio.Redis, words: Words, key: str) -> bool:
    """Whether access control refuses it; what the server thinks of the command beyond that does not count."""
    try:
        await command(client, *(key if word == "KEY" else word for word in words))
    except NoPermissionError:
        return True
    except redis.ResponseError:
        return False
    return False


@pytest.mark.parametrize("user", credentials.STAGES)
async def test_a_stage_reads_and_writes_the_keys_of_its_business_and_no_others(
    secured: SecuredRedis, user: str
) -> None:
    async with secured.client("operator") as operator, secured.client(user) as client:
        for may, tried in ((MAY_READ, READING), (MAY_WRITE, WRITING)):
            for name, key in EVERY_KEY.items():
                kind = KIND.get(name, "string")
                commands = tried[kind] + tried.get("any", [])
                answers = [await refused(client, words, key) for words in commands]
                assert all(answers) != (name in may[user]), (user, name, commands, answers)
                await operator.delete(key)


@pytest.mark.parametrize("user", credentials.STAGES)
async def test_a_script_does_no_more_than_its_user_may(secured: SecuredRedis, user: str) -> None:
    """The scripts' own commands are checked one by one; recognizers may only look at a session."""
    script = "return redis.call('HSET', KEYS[1], 'state', 'ended')"
    async with secured.client(user) as client:
        if user == "recognizers":
            with pytest.raises(redis.ResponseError, match="can't access at least one of the keys"):
                await fence.run_script(client, script, [keys.session(ID)], [])
        else:
            await fence.run_script(client, script, [keys.session(ID)], [])
        with pytest.raises(NoPermissionError):
            await fence.run_script(client, script, ["another"], [])


@pytest.mark.parametrize(
    ("user", "words"),
    [
        *((user, ("CONFIG", "SET", "requirepass", "")) for user in (*credentials.STAGES, "probe")),
        *((user, ("ACL", "LIST")) for user in (*credentials.STAGES, "probe")),
        *((user, ("KEYS", "*")) for user in credentials.STAGES),
        *((user, ("FLUSHALL",)) for user in credentials.STAGES),
        *((user, ("MONITOR",)) for user in credentials.STAGES),
        ("keypoints", ("SUBSCRIBE", keys.control(ID))),
        ("keypoints", ("KEYS", "*")),
        ("gateway", ("PUBLISH", keys.landmarks(ID), "x")),
        ("gateway", ("PUBLISH", "another", "x")),
        ("gateway", ("PSUBSCRIBE", "*")),
        ("recognizers", ("PUBLISH", keys.control(ID), "x")),
        ("recognizers", ("SUBSCRIBE", keys.landmarks(ID))),
        ("recognizers", ("SCAN", 0)),
        ("probe", ("GET", "another")),
    ],
)
async def test_nothing_that_is_not_its_business(secured: SecuredRedis, user: str, words: Words) -> None:
    url = secured.url("operator") if user == "probe" else secured.url(user)
    if user == "probe":
        # It has no password: any will do.
        password = url.split(":")[2].split("@")[0]
        url = url.replace(f"//operator:{password}@", "//probe:any@")
    async with connection.connect(url) as client:
        assert await client.ping()
        with pytest.raises(NoPermissionError):
            await command(client, *words)


async def test_nobody_gets_in_without_a_name_a_password_and_tls(secured: SecuredRedis) -> None:
    url = secured.url("gateway")
    password = url.split(":")[2].split("@")[0]
    for wrong in (url.replace(password, "wrong"), url.replace(f"gateway:{password}@", "")):
        async with connection.connect(wrong) as client:
            with pytest.raises(redis.AuthenticationError):
                await client.ping()
    async with connection.connect(url.replace("rediss:", "redis:").split("?")[0]) as client:
        with pytest.raises(redis.ConnectionError):
            await client.ping()
    async with connection.connect(url.split("?")[0]) as client:  # the machine's own authorities
        with pytest.raises(redis.ConnectionError, match="certificate"):
            await client.ping()


async def test_what_a_script_wrote_survives_a_restart(secured: SecuredRedis) -> None:
    """Redis replays its file as the user `default`, which nobody can be, so it must be allowed everything."""
    write = "redis.call('HSET', KEYS[1], 'a', 1) redis.call('XADD', KEYS[2], '1-1', 'f', 'v') return 1"
    places = [keys.session(ID), keys.frames(ID)]
    async with secured.client("gateway") as gateway:
        await fence.run_script(gateway, write, places, [])
    async with secured.client("operator") as operator:
        await operator.config_set("appendfsync", "always")
        await operator.set("written-after", 1)
    await secured.kill()
    await secured.start()
    async with secured.client("operator") as operator:
        assert await operator.hget(places[0], "a") == b"1"
        assert await operator.xlen(places[1]) == 1
        await operator.delete(*places, "written-after")
