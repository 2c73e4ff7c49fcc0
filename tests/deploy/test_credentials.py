"""What a deployment's secrets are, and who sees which."""

import stat
from pathlib import Path

from deploy import credentials


def test_what_is_there_is_kept_and_what_is_missing_is_made(tmp_path: Path) -> None:
    credentials.make(tmp_path, "redis", "/secrets")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    (tmp_path / "keypoints" / "redis-password").unlink()
    credentials.make(tmp_path, "redis", "/secrets")
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    changed = {str(path.relative_to(tmp_path)) for path in after if after[path] != before.get(path)}
    assert changed == {"keypoints/redis-password", "keypoints/redis-url", "redis/users.acl"}
    url = after[tmp_path / "keypoints" / "redis-url"].decode()
    assert url.endswith("@redis:6379/0?ssl_ca_certs=/secrets/ca.crt\n")


def test_no_secret_is_shared_and_no_stage_sees_anothers(tmp_path: Path) -> None:
    made = tmp_path / "made"
    credentials.make(made, "redis")
    passwords = {name: (made / name / "redis-password").read_text().strip() for name in credentials.USERS}
    assert len(set(passwords.values())) == len(credentials.USERS)
    for name, password in passwords.items():
        holders = {
            path.parent.name
            for path in made.rglob("*")
            if path.is_file() and password.encode() in path.read_bytes()
        }
        assert holders == {name}
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
