"""The layers that settings come from: presets, which may extend others, and the user's config over them."""

from pathlib import Path
from typing import Any

import yaml

from mtbridge.base.checkout import from_here
from mtbridge.base.errors import MtbridgeError, nearest

STUDIES = Path(__file__).resolve().parents[2] / "studies"


def merge(below: dict, above: dict) -> dict:
    """The values of `above` over those of `below`: mappings are merged key by key, other values replaced.

    A `source` is replaced too, because the keys of one kind of source do not fit another.
    """
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict) and key != "source":
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def read_yaml(path: Path) -> dict:
    """The keys and values of a YAML file. Raises MtbridgeError with file and line if it is not YAML."""
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f":{mark.line + 1}" if mark else ""
        raise MtbridgeError(f"{path}{at}: not YAML ({getattr(error, 'problem', error)})") from error
    except (OSError, UnicodeDecodeError) as error:
        raise MtbridgeError(f"{path}: cannot be read ({error})") from error
    if not isinstance(value, dict):
        raise MtbridgeError(f"{path}: expected keys and values, as in `study: mini`")
    return value


def preset(study: Any, seen: tuple = ()) -> list[tuple[str, dict]]:
    """The layers of a preset: pairs (file, content), the lowest first. seen: presets on the way, to find circles."""
    path = STUDIES / f"{study}.yaml"
    # `_name` is a part of presets and no study by itself.
    presets = {file.stem for file in STUDIES.glob("*.yaml") if not file.stem.startswith("_")}
    if not path.exists() or (not seen and str(study).startswith("_")):
        raise MtbridgeError(f"config.yaml: study: '{study}' is no preset; {nearest(study, presets)}")
    if study in seen:
        raise MtbridgeError(f"{path}: extends: '{study}' extends itself")
    content = read_yaml(path)
    below = [layer for base in content.pop("extends", []) for layer in preset(base, (*seen, study))]
    return [*below, (f"workflow/studies/{study}.yaml", content)]


def lock_file(study: str) -> str:
    """The file beside a preset that holds the commits and checksums of the models it names."""
    return from_here(f"workflow/studies/{study}.lock.json")


def lock_files(study: str) -> dict[str, str]:
    """Model -> the lock file of the preset that names its repository. Studies that extend the preset share the file."""
    return {
        model: lock_file(Path(where).stem)
        for where, content in preset(study)
        for model, spec in content.get("model_catalog", {}).items()
        if "repo" in spec
    }


def data_lock_files(study: str) -> dict[str, str]:
    """Task -> the lock file of the preset that names its source, or else XGLUE's release, for those of a preset.

    Studies that extend the preset share the file.
    """
    layers = [(lock_file(Path(where).stem), content) for where, content in preset(study)]
    release = next((lock for lock, content in reversed(layers) if "xglue" in content), None)
    found: dict[str, str | None] = {}
    for lock, content in layers:
        for task, spec in content.get("task_catalog", {}).items():
            if "source" in spec or task not in found:
                found[task] = lock if "path" in spec.get("source", {}) else release
    return {task: lock for task, lock in found.items() if lock is not None}


def pairs_lock_file(study: str) -> str:
    """The lock file of the preset that names the source of pairs for retrieval, or else of the study's own preset."""
    named = [where for where, content in preset(study) if "source" in content.get("retrieval", {})]
    return lock_file(Path(named[-1]).stem if named else study)


def source_layer(location: tuple, layers: list) -> str:
    """The file of the layer that set a key: the uppermost one that has it, or else that has the group around it."""
    for where, content in reversed(layers):
        at: Any = content
        for key in location:
            try:
                at = at[key]
            except (KeyError, IndexError, TypeError):
                break
        else:
            return where
    return source_layer(location[:-1], layers) if location else layers[-1][0]
