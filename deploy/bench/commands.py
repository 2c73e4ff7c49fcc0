"""`signstream bench`: each stage beside its peer, in one run, on this machine."""

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from deploy.bench import ledger
from deploy.bench.compare import worse
from deploy.bench.document import DOCUMENT, render
from deploy.bench.printed import report
from deploy.bench.signed_film import BITS_PER_SECOND
from shared.settings import SESSIONS_A_CORE

commands = typer.Typer(
    no_args_is_help=True, help="Measures a stage beside its peer. Example: signstream bench gateway"
)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")]

Keep = Annotated[bool, typer.Option("--keep", help="Append the run to docs/benchmarks/history.jsonl.")]

Videos = Annotated[
    Path | None, typer.Option(help="Folder of .mp4 files; by default the recordings of SIGNSTREAM_DATA.")
]

Clip = Annotated[
    Path | None, typer.Option(help="What is signed; by default asl_hello_x2.mp4 of SIGNSTREAM_DATA.")
]

Extracting = Annotated[str, typer.Option(help="tracker or mediapipe.")]


@commands.command("gateway")
def gateway(
    as_json: AsJson = False,
    keep: Keep = False,
    seconds: Annotated[
        float, typer.Option(min=0.5, max=60.0, help="How long each figure is measured.")
    ] = 4.0,
    most: Annotated[
        int, typer.Option(min=1, max=512, help="Streams at which the search for the knee ends.")
    ] = 192,
) -> None:
    """Processor time a received frame, and cameras a core. Example: signstream bench gateway --json"""
    from deploy.bench.gateway import run

    report(
        "gateway",
        run(seconds, most),
        ("aiortc", "redis", "uvloop", "uvicorn", "av"),
        as_json=as_json,
        keep=keep,
    )


@commands.command("keypoints")
def keypoints(
    as_json: AsJson = False,
    keep: Keep = False,
    videos: Videos = None,
    repeats: Annotated[int, typer.Option(min=1, max=20, help="Runs of which the median counts.")] = 3,
    hard_cases: Annotated[
        bool, typer.Option("--hard-cases", help="Instead: films made hard on purpose out of the recordings.")
    ] = False,
    sessions: Annotated[
        int, typer.Option(min=0, max=100_000, help="Instead: memory over this many sessions, one by one.")
    ] = 0,
    overload: Annotated[
        bool,
        typer.Option("--overload", help="Instead: cameras a worker carries, and twice as many."),
    ] = False,
    processes: Annotated[
        int, typer.Option(min=0, max=64, help="Instead: so many workers beside one, each on a core.")
    ] = 0,
    extractor: Annotated[str, typer.Option(help="Of those workers: tracker or mediapipe.")] = "tracker",
    seconds: Annotated[float, typer.Option(min=2.0, max=600.0, help="How long those are measured.")] = 20.0,
    cameras: Annotated[
        int, typer.Option(min=0, max=256, help="Cameras a worker carries; 0: as many as it is found to.")
    ] = 0,
) -> None:
    """Pictures a CPU-second beside MediaPipe Holistic, and how alike. Example: signstream bench keypoints"""
    from deploy.bench import keypoint_load as load
    from deploy.bench.keypoint_parts import memory
    from deploy.bench.keypoints import run, run_hard_cases

    clips = recordings(videos)
    say = partial(typer.echo, err=True)
    if overload:
        rows = load.overload(clips[0], extractor, seconds, say, cameras)
    elif processes:
        rows = load.processes(clips[0], extractor, processes, seconds)
    elif sessions:
        rows = memory(clips[0], sessions, extractor)
    else:
        rows = run_hard_cases(clips, say) if hard_cases else run(clips, repeats, say)
    if not as_json:
        rows = [row for row in rows if "clip" not in row]
    report(
        "keypoints",
        rows,
        ("mediapipe", "openvino", "numpy", "opencv-python-headless"),
        as_json=as_json,
        keep=keep,
    )


@commands.command("landmarks-only")
def landmarks_only(
    as_json: AsJson = False,
    keep: Keep = False,
    videos: Videos = None,
    seconds: Annotated[float, typer.Option(min=2.0, max=600.0, help="How long each is measured.")] = 10.0,
) -> None:
    """CPU a second of signing: pictures or landmarks. Example: signstream bench landmarks-only --json"""
    from deploy.bench.landmarks_only import run

    clips = recordings(videos)
    rows = run(clips[0], seconds, partial(typer.echo, err=True))
    report("landmarks-only", rows, ("mediapipe", "openvino", "numpy", "uvicorn"), as_json=as_json, keep=keep)


@commands.command("decoding")
def decoding(
    as_json: AsJson = False,
    keep: Keep = False,
    videos: Videos = None,
    repeats: Annotated[int, typer.Option(min=1, max=20, help="Runs of which the median counts.")] = 3,
) -> None:
    """What a picture costs before it is landmarked. Example: signstream bench decoding --json"""
    from deploy.bench.decoding import run

    clips = recordings(videos)
    report(
        "decoding", run(clips, repeats), ("av", "opencv-python-headless", "numpy"), as_json=as_json, keep=keep
    )


@commands.command("transport")
def transport(
    as_json: AsJson = False,
    keep: Keep = False,
    messages: Annotated[int, typer.Option(min=100, max=1_000_000, help="Messages a round.")] = 20_000,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="Rounds of which the median counts.")] = 5,
) -> None:
    """Messages a second through Faust on Redis. Example: signstream bench transport --json"""
    from deploy.bench.transport import run

    report(
        "transport", run(messages, rounds), ("faust-streaming", "redis", "uvloop"), as_json=as_json, keep=keep
    )


@commands.command("recognizers")
def recognizers(
    as_json: AsJson = False,
    keep: Keep = False,
    model: Annotated[str, typer.Option(help="The model.")] = "asl-words",
    windows: Annotated[int, typer.Option(min=100, max=100_000, help="Windows a round.")] = 5000,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="Rounds of which the median counts.")] = 5,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="How long latency is measured.")] = 10.0,
) -> None:
    """The recognizer stage beside a bare loop. Example: signstream bench recognizers --json"""
    from deploy.bench.recognizers import run
    from shared import settings
    from shared.bundles import Registry

    bundle = Registry(settings.load().models_folders).find(model)
    packages = ("onnxruntime", "faust-streaming", "redis", "numpy", "uvloop")
    rows = run(bundle, windows, rounds, seconds, partial(typer.echo, err=True))
    report("recognizers", rows, packages, as_json=as_json, keep=keep)


@commands.command("end-to-end")
def end_to_end(
    as_json: AsJson = False,
    keep: Keep = False,
    clip: Clip = None,
    extractor: Extracting = "tracker",
    sessions: Annotated[
        int, typer.Option(min=0, max=512, help="0: four fifths of what is found to be carried.")
    ] = 0,
    seconds: Annotated[float, typer.Option(min=3.0, max=3600.0, help="How long it is measured.")] = 60.0,
    height: Annotated[int, typer.Option(help="Lines of the cameras' pictures: 360 or 720.")] = 360,
    linear: Annotated[
        bool, typer.Option("--linear", help="Instead: CPU a session from one to as many as are carried.")
    ] = False,
    minutes: Annotated[
        float, typer.Option(min=1.0, max=600.0, help="--linear ends by then, with the sizes measured so far.")
    ] = 5.5,
) -> None:
    """From a camera's picture to the word, beside other cameras. Example: signstream bench end-to-end"""
    from deploy.bench import end_to_end
    from deploy.bench import linear as rising
    from deploy.bench.camera_load import NotCarriedError
    from deploy.bench.chromium_camera import NoBrowserError, browser

    film = clip or recordings(None, "asl_hello_x2.mp4")[0]
    say = partial(typer.echo, err=True)
    if extractor not in SESSIONS_A_CORE or height not in BITS_PER_SECOND:
        typer.echo("signstream: --extractor is tracker or mediapipe, --height 360 or 720", err=True)
        raise typer.Exit(2)
    try:
        if linear:
            rows = rising.run(film, extractor, sessions, height, 60 * minutes, say)
        else:
            browser()
            rows = end_to_end.run(film, extractor, sessions, seconds, height, say)
    except (NoBrowserError, NotCarriedError) as error:
        typer.echo(f"signstream: {error}", err=True)
        raise typer.Exit(2) from error
    packages = ("aiortc", "av", "mediapipe", "openvino", "onnxruntime", "redis", "faust-streaming")
    report("end-to-end", rows, packages, as_json=as_json, keep=keep)


@commands.command("scale")
def scale(
    as_json: AsJson = False,
    keep: Keep = False,
    clip: Clip = None,
    extractor: Extracting = "tracker",
    sessions: Annotated[int, typer.Option(min=10, max=10_000, help="The most.")] = 1000,
    load: Annotated[
        int,
        typer.Option(min=5, max=10_000, help="More sessions share the load of so many in life."),
    ] = 25,
    seconds: Annotated[float, typer.Option(min=1.0, max=600.0, help="How long each size is measured.")] = 8.0,
    minutes: Annotated[
        float, typer.Option(min=1.0, max=600.0, help="It ends by then, with the sizes measured so far.")
    ] = 7.75,
) -> None:
    """Cost from ten sessions to a thousand, and a plan for a million. Example: signstream bench scale"""
    from deploy.bench.scale import run

    if extractor not in SESSIONS_A_CORE:
        typer.echo("signstream: --extractor is tracker or mediapipe", err=True)
        raise typer.Exit(2)
    film = clip or recordings(None, "asl_hello_x2.mp4")[0]
    say = partial(typer.echo, err=True)
    try:
        rows = run(film, extractor, sessions, load, seconds, 60 * minutes, say)
    except ValueError as error:
        typer.echo(f"signstream: {error}", err=True)
        raise typer.Exit(2) from error
    packages = ("faust-streaming", "redis", "onnxruntime", "mediapipe", "openvino", "uvloop")
    report("scale", rows, packages, as_json=as_json, keep=keep)


def recordings(folder: Path | None, pattern: str = "*.mp4") -> list[Path]:
    """The films in a folder, by default SIGNSTREAM_DATA's. Exits where there is none."""
    folder = folder or Path(os.environ.get("SIGNSTREAM_DATA") or "../shared/data") / "videos"
    clips = sorted(folder.glob(pattern))
    if not clips:
        typer.echo(
            f"signstream: no {pattern.lstrip('*')} in {folder}; name one, or set SIGNSTREAM_DATA", err=True
        )
        raise typer.Exit(2)
    return clips


@commands.command("report")
def write_report() -> None:
    """Writes the tables of docs/benchmarks.md from the kept runs. Example: signstream bench report"""
    try:
        before = DOCUMENT.read_text("utf-8")
        after = render(before, ledger.read())
    except (OSError, ledger.NotKeptError) as error:
        typer.echo(f"signstream: {error}", err=True)
        raise typer.Exit(2) from error
    DOCUMENT.write_text(after, "utf-8")
    typer.echo(f"{DOCUMENT}: {'as it was' if after == before else 'written anew'}")


@commands.command("compare")
def compare() -> None:
    """Says which kept figures got worse beyond noise; 1 if any did. Example: signstream bench compare"""
    try:
        runs = ledger.read()
    except ledger.NotKeptError as error:
        typer.echo(f"signstream: {error}", err=True)
        raise typer.Exit(2) from error
    changes = worse(runs)
    for change in changes:
        typer.echo(str(change))
    typer.echo(f"{len(changes)} figures are worse than in the runs before; {len(runs)} runs are kept")
    raise typer.Exit(1 if changes else 0)
