"""The models that run, followed while they change on disk."""

import asyncio
import shutil
from pathlib import Path

import pytest

from shared.bundles import BundleError, ModelWatch, load_bundle
from shared.bundles import watch as watch_module
from tests.shared.bundles.conftest import seal


def retitled(folder: Path, title: str) -> None:
    manifest = folder / "bundle.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('title = "Waves"', f'title = "{title}"'), "utf-8")


def test_named_models_come_first_and_all_of_the_folder_run(wave: Path) -> None:
    assert list(ModelWatch(["asl-words"], [wave.parent]).start()) == ["asl-words", "wave"]
    assert list(ModelWatch(["wave", "asl-words"], [wave.parent]).start()) == ["wave", "asl-words"]


def test_a_folder_may_come_later(wave: Path, tmp_path: Path) -> None:
    watch = ModelWatch(["asl-words"], [tmp_path / "later"])
    watch.start()
    assert not watch.look()
    (tmp_path / "later").mkdir()
    wave.rename(tmp_path / "later" / "wave")
    assert watch.look()


def test_a_named_model_that_is_not_there_is_refused(wave: Path) -> None:
    with pytest.raises(BundleError, match=r"no model 'hello'; available are asl.*wave"):
        ModelWatch(["hello"], [wave.parent]).start()


def test_a_replaced_bundle_is_seen_and_an_untouched_one_is_not(wave: Path) -> None:
    watch = ModelWatch([], [wave.parent])
    before = watch.start()["wave"]
    assert not watch.look()
    retitled(wave, "Better")
    assert watch.look()
    after = watch.running["wave"]
    assert after.manifest.title == "Better"
    assert (after.version != before.version, after.spec) == (True, before.spec)


def test_what_other_stages_know_of_a_bundle_is_its_spec(wave: Path) -> None:
    before = load_bundle(wave)
    (wave / "labels.txt").write_text("idle\nwave\nbeckon\n", "utf-8")
    seal(wave)
    assert load_bundle(wave).spec != before.spec


def test_a_bundle_that_is_no_good_is_told_once_and_the_one_before_runs_on(
    wave: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watch = ModelWatch([], [wave.parent])
    before = watch.start()["wave"]
    (wave / "bundle.toml").write_text("no TOML", "utf-8")
    assert not watch.look()
    assert not watch.look()
    assert caplog.text.count("model wave is not taken, the one before runs on") == 1
    assert watch.running["wave"] is before
    seal(wave)
    retitled(wave, "Whole again")
    assert watch.look()


def test_a_model_is_removed_when_it_is_missing_twice_in_a_row(wave: Path, tmp_path: Path) -> None:
    watch = ModelWatch([], [wave.parent])
    watch.start()
    wave.rename(tmp_path / ".aside")
    assert not watch.look(), "it may be between two renames"
    (tmp_path / ".aside").rename(wave)
    assert not watch.look()
    shutil.rmtree(wave)
    assert not watch.look()
    assert watch.look()
    assert watch.running == {}


async def test_who_follows_is_told_of_a_new_version_and_not_of_a_touched_file(
    wave: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "POLL_SECONDS", 0.01)
    watch = ModelWatch([], [wave.parent])
    watch.start()
    changes = watch.changes()
    told = asyncio.ensure_future(anext(changes))
    async with asyncio.timeout(5):
        await asyncio.to_thread((wave / "bundle.toml").touch)
        retitled(wave, "Better")
        assert (await told)["wave"].manifest.title == "Better"
    await changes.aclose()


def test_a_folder_that_is_named_otherwise_than_its_bundle_is_not_taken(
    wave: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wave.rename(wave.parent / "wove")
    watch = ModelWatch([], [wave.parent])
    assert watch.start() == {}
    assert "model wove is not taken: wove: id says 'wave', the folder is named 'wove'" in caplog.text
