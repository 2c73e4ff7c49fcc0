"""The models that are to run: each is loaded and asked once, as a recognizer would."""

from deploy.doctor.finding import Finding, failed, ok, warning
from shared.bundles import BundleError, Registry
from shared.bundles.registry import bundle_folders
from shared.settings import Settings
from workers.recognizers.checks import checked, warnings


def look(settings: Settings) -> list[Finding]:
    """Blocking: a large graph takes seconds."""
    registry = Registry(settings.models_folders)
    return [_model(registry, name) for name in _names(settings)]


def _names(settings: Settings) -> list[str]:
    added = bundle_folders(folder for folder in settings.models_folders if folder.is_dir())
    return [*settings.model_list, *sorted(added.keys() - set(settings.model_list))]


def _model(registry: Registry, name: str) -> Finding:
    part = f"model {name}"
    try:
        recognizer = checked(registry.find(name))
    except BundleError as error:
        return failed(
            part, str(error), f"correct the bundle (`signstream models check`) or do without {name}"
        )
    doubts = warnings(recognizer)
    if doubts:
        return warning(part, "; ".join(doubts), "see docs/models.md; `signstream models check` says it too")
    return ok(part, f"loads and answers; {len(recognizer.bundle.signs)} signs")
