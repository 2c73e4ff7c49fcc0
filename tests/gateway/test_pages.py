"""The pages' files, as HTTP sees them."""

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from gateway import errors, pages

SCRIPT = "/shell/shell.js"


@pytest.fixture
def client() -> TestClient:
    handlers = {HTTPException: errors.as_json}
    return TestClient(Starlette(routes=[pages.mount()], exception_handlers=handlers))


@pytest.mark.parametrize("path", ["/", "/record/", "/upload/", SCRIPT, "/signstream.js"])
def test_every_file_comes_with_a_strict_policy(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "camera=(self), microphone=()" in answer.headers["permissions-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_page_without_its_slash_leads_to_it(client: TestClient) -> None:
    answer = client.get("/record", follow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["location"].endswith("/record/")


def test_a_file_that_is_known_is_not_sent_again(client: TestClient) -> None:
    first = client.get(SCRIPT)
    assert first.headers["cache-control"] == "no-cache"
    again = client.get(SCRIPT, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "content-security-policy" in again.headers


@pytest.mark.parametrize("path", ["/nowhere/", "/../pages.py", "/%2e%2e/pages.py", "/shell/%00"])
def test_nothing_outside_the_folder_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
