"""The broker's URL."""

import faust
import pytest
from faust.exceptions import ImproperlyConfigured

from shared import keys
from shared.faust_redis import Options, Transport, broker_url


def test_a_plain_url_has_the_defaults() -> None:
    assert Options.from_url("redis://host:6379/2") == ("redis://host:6379/2", Options())


def test_the_default_bound_is_the_one_of_the_windows() -> None:
    assert Options().maxlen == keys.WINDOWS_LENGTH
    assert Options().maxbytes == keys.WINDOWS_BYTES


def test_our_options_are_taken_out_and_redis_pys_stay() -> None:
    url, options = Options.from_url("rediss://:secret@host/0?batch=8&ssl_cert_reqs=none&idle_seconds=0.5")
    assert url == "rediss://:secret@host/0?ssl_cert_reqs=none"
    assert options == Options(batch=8, idle_seconds=0.5)


def test_the_url_is_built_as_it_is_read() -> None:
    url = broker_url("redis://host/0?client_name=me", batch=8, idle_seconds=2)
    assert Options.from_url(url) == ("redis://host/0?client_name=me", Options(batch=8, idle_seconds=2))


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("batch=many", "batch is 'many', expected a whole number"),
        ("batch=1.5", "batch is '1.5', expected a whole number"),
        ("idle_seconds=", "idle_seconds is '', expected a number"),
        ("batch=0", "batch is 0, must be above 0"),
        ("idle_seconds=-1", "idle_seconds is -1.0, must be above 0"),
        ("idle_seconds=nan", "idle_seconds is nan, must be above 0"),
    ],
)
def test_a_wrong_option_is_refused_by_name(query: str, complaint: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=complaint):
        Options.from_url(f"redis://host/0?{query}")


def test_an_option_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="unknown option batches"):
        broker_url("redis://host/0", batches=1)


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_faust_finds_the_transport_by_the_scheme(scheme: str) -> None:
    app = faust.App("finder", broker=f"{scheme}://:secret@127.0.0.1:7000/3?batch=7")
    assert isinstance(app.transport, Transport)
    assert app.transport.redis_url == f"{scheme}://:secret@127.0.0.1:7000/3"
    assert app.transport.options.batch == 7


def test_two_brokers_are_refused() -> None:
    app = faust.App("two", broker="redis://127.0.0.1:7000;redis://127.0.0.1:7001")
    with pytest.raises(ImproperlyConfigured, match="expected one redis:// broker URL, got 2"):
        _ = app.transport
