"""`signstream models add`, `check`, `remove`, as they are typed."""

import hashlib
import shutil
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import commands
from shared.bundles import Registry, presets
from shared.bundles.registry import SHIPPED
from tests.deploy.models.conftest import Shelf
from tests.workers.recognizers.presets.conftest import ORIGINALS


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The models folder, not there yet."""
    monkeypatch.setenv("SIGNSTREAM_MODELS_FOLDER", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """A graph with Bukva's outside: small, and its labels are known."""
    ORIGINALS["bukva"].sketch.write(tmp_path / "bukva.onnx")
    return tmp_path / "bukva.onnx"


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands, ["models", *words])
    return result.exit_code, result.output


def test_a_graph_becomes_a_model_by_its_preset(models: Path, graph: Path) -> None:
    status, out = run("add", "letters", str(graph), "--preset", "bukva")
    assert status == 0, out
    assert str(models / "letters") in out.splitlines()
    assert "letters: added; isolated, 33 signs" in out
    bundle = Registry([models]).find("letters")
    assert bundle.manifest.preset == "bukva"
    assert bundle.labels[:3] == ("no_event", "\u0401", "\u0410")
    assert "83.6 % top-1" in bundle.card.read_text("utf-8")
    assert run("check", str(models / "letters"))[0] == 0
    assert "letters\tisolated\trsl\t33 signs" in run("list")[1]


def test_nothing_is_written_over(models: Path, graph: Path) -> None:
    assert run("add", "letters", str(graph), "--preset", "bukva")[0] == 0
    status, out = run("add", "letters", str(graph), "--preset", "bukva")
    assert (status, "is there already" in out) == (2, True)
    status, out = run("add", "asl-words", str(graph), "--preset", "bukva")
    assert (status, "is one of the shipped" in out) == (2, True)


def test_an_address_is_fetched_verified_and_kept(models: Path, graph: Path, shelf: Shelf) -> None:
    shelf.content = graph.read_bytes()
    wrong = run("add", "letters", shelf.url, "--preset", "bukva", "--sha256", "0" * 64)
    assert (wrong[0], "was expected" in wrong[1]) == (2, True)
    right = hashlib.sha256(shelf.content).hexdigest()
    status, out = run("add", "letters", shelf.url, "--preset", "bukva", "--sha256", right.upper())
    assert status == 0, out
    assert "MiB" in out, "progress"
    assert run("remove", "letters")[0] == 0
    shelf.status = 500
    assert run("add", "letters", shelf.url, "--preset", "bukva")[0] == 0, "without the server"
    shelf.status, shelf.content = 0, b"another"
    assert len(shelf.asked) == 2


def test_a_removed_model_is_gone_and_a_shipped_one_stays(models: Path, graph: Path) -> None:
    run("add", "letters", str(graph), "--preset", "bukva")
    assert run("remove", "letters")[0] == 0
    assert "letters" not in run("list")[1]
    assert [file.name for file in models.iterdir()] == []
    for name, says in (("letters", "no model 'letters'"), ("asl-words", "shipped"), ("../x", "is no name")):
        status, out = run("remove", name)
        assert (status, says in out) == (2, True), out
    assert (SHIPPED / "asl-words").is_dir()


def test_a_zip_and_a_folder_are_added_as_they_are(models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(SHIPPED / "asl-words", folder)
    text = (folder / "bundle.toml").read_text("utf-8")
    (folder / "bundle.toml").write_text(text.replace('id = "asl-words"', 'id = "mine"'), "utf-8")
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as out:
        for file in folder.iterdir():
            out.write(file, file.name)
    assert run("check", str(tmp_path / "mine.zip"))[0] == 0
    for source in (folder, tmp_path / "mine.zip"):
        status, said = run("add", "mine", str(source))
        assert status == 0, said
        assert run("remove", "mine")[0] == 0
    status, said = run("add", "other", str(folder))
    assert (status, "id says 'mine'" in said) == (2, True)
    assert not (models / "other").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("letters", "nowhere.onnx", "--preset", "bukva"), "nowhere.onnx: no such file"),
        (("letters", "{graph}"), "a bare graph needs --preset, one of bilstm-attention"),
        (("letters", "{graph}", "--preset", "bukwa"), "no preset 'bukwa'; there are"),
        (("Letters", "{graph}", "--preset", "bukva"), "is no name"),
        (("../x", "{graph}", "--preset", "bukva"), "is no name"),
        (("letters", "{graph}", "--preset", "slovo-mvit-16-4"), "needs a file of labels: 1001 lines"),
        (("letters", "{graph}", "--preset", "lzv-cslr"), "needs a statistics file: mean and std"),
        (("letters", "{graph}", "--preset", "bukva", "--stats", "{graph}"), "has no statistics"),
        (
            ("letters", "{graph}", "--preset", "bukva", "--labels", "{graph}"),
            "expected .txt, .tsv, .csv or .json",
        ),
        (("letters", "{graph}", "--preset", "sign-tutor-ru", "--labels", "{few}"), "labels.count says 115"),
        (("letters", "{graph}", "--preset", "sign-tutor-ru", "--labels", "{many}"), "input.tensors"),
        (("letters", "{graph}", "--preset", "bukva", "--sha256", "0" * 64), "was expected, the file has"),
        (("letters", "{graph}", "--preset", "bukva", "--graph", "vit=x.onnx"), "x.onnx: no such file"),
        (("letters", "ftp://127.0.0.1/x", "--preset", "bukva"), "begins with https:// or http://"),
    ],
)
def test_what_is_wrong_is_said_and_leaves_nothing(
    models: Path, graph: Path, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    (tmp_path / "few.txt").write_text("a\nb\n", "utf-8")
    (tmp_path / "many.txt").write_text("".join(f"sign {i}\n" for i in range(115)), "utf-8")
    places = {"graph": graph, "few": tmp_path / "few.txt", "many": tmp_path / "many.txt"}
    status, out = run("add", *(word.format(**places) for word in words))
    assert status == 2
    assert says in out
    assert "Traceback" not in out
    left = [file.name for file in models.iterdir()] if models.exists() else []
    assert set(left) <= {".downloads"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.csv", "sign_ord,sign\n1,b\n0,a\n"),
        ("l.tsv", "1\tb\n0\ta\n"),
        ("l.txt", "a\nb\n"),
        ("l.json", '{"1": "b", "0": "a"}'),
        ("m.json", '{"b": 1, "a": 0}'),
    ],
)
def test_labels_are_taken_in_every_form_their_authors_have(tmp_path: Path, name: str, text: str) -> None:
    from deploy.models.making import labels_of

    (tmp_path / name).write_text(text, "utf-8")
    assert labels_of(tmp_path / name) == ("a", "b")


def test_the_presets_are_listed_with_size_accuracy_and_licence() -> None:
    status, out = run("list", "--presets")
    assert status == 0
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert set(presets.names()) <= set(lines)
    assert "64.09 %" in lines["slovo-mvit-32-2"]
    assert "140.5 MB" in lines["slovo-mvit-32-2"]
    assert "CC BY-SA" in lines["slovo-mvit-32-2"]
    assert lines["signflow-r"].count("unknown") == 2, "its accuracy and its licence"
