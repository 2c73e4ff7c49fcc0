"""Makes the bundle `asl-words`, from recordings to model card."""

from collections.abc import Callable
from pathlib import Path

from shared.bundles import Registry, load_bundle
from training import recipe
from training.evaluate import as_fields, clip_reports, measure_fold, quiet_report, report_of
from training.export import rewrite_report, write_bundle
from training.kept import Kept
from training.recordings import load_recordings
from training.report import ClipReport, HelloReport
from training.train import train
from training.trainer import Progress


def make(
    data: Path,
    folder: Path,
    cache: Path,
    *,
    evaluate: bool,
    keep_weights: bool,
    told: Callable[[str], None],
) -> dict[str, object] | None:
    """Trains on everything and writes the bundle; with `evaluate` also its figures, which it returns."""
    recordings = load_recordings(data)
    told(f"{len(recordings.clips)} clips: {len(recipe.WORDS)} words, letters and rest")

    kept = Kept(cache, recipe.NAME)

    def progress(now: Progress) -> None:
        told(f"{now}")

    if not keep_weights:
        write_bundle(train(recordings, told=progress, checkpoints=kept.of("all")), folder)
    if not evaluate:
        kept.forget()
        return None
    bundle = load_bundle(folder)
    quiet = quiet_report(bundle, recordings)
    told(f"{quiet}")
    hello, others = clip_reports(bundle, data / "videos", cache, told)
    folds = []
    for fold in range(recipe.FOLDS):
        told(f"fold {fold} of {recipe.FOLDS}: training without it")
        folds.append(measure_fold(recordings, fold, progress, kept.of(f"fold-{fold}")))
        told(f"fold {fold}: {folds[-1]}")
    report = report_of(folds, hello, others, quiet)
    rewrite_report(folder, report)
    kept.forget()
    return as_fields(report)


def through_extractors(
    data: Path, cache: Path, extractors: tuple[str, ...], told: Callable[[str], None]
) -> dict[str, tuple[HelloReport, tuple[ClipReport, ...]]]:
    """What the shipped bundle makes of the recordings, by the extractor that landmarked them."""
    bundle = Registry().find(recipe.NAME)
    return {name: clip_reports(bundle, data / "videos", cache, told, name) for name in extractors}
