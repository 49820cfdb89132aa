"""The study of one encoder beside a baseline, from what a user says of it: its path or id, and the tasks at hand.

The result is the user's part of a config over the preset `evaluate`, as it stands behind `--config`.
"""

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.data.readers import READERS, available_languages
from mtbridge.specs.source import Xglue
from mtbridge.study.layers import STUDIES, merge, preset, read_yaml
from mtbridge.study.settings import TaskSettings

PRESET = "evaluate"
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
UNTRAINED, NONE = "untrained", "none"  # baselines that are no other model
# Of the release's tasks, those that a few hundred examples teach, the cheapest first.
QUICK = ("nc", "pos", "ner")
TRANSLATED = "xnli"  # the task of the release whose rows are translations of each other


def known_models() -> dict[str, dict[str, Any]]:
    """The models of the Hub that the presets name: key of the catalog -> its entry, without what only a study has."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(STUDIES.glob("*.yaml")):
        for key, entry in read_yaml(file).get("model_catalog", {}).items():
            if "repo" in entry:
                kept = ("label", "source", "repo", "revision", "family", "seen")
                found.setdefault(key, {"kind": "LM", **{name: entry[name] for name in kept if name in entry}})
    return found


def entry_of(model: str) -> dict[str, Any]:
    """The entry of the catalog for a checkpoint's folder, a model that a preset names, or a repository of the Hub.

    Raises:
        MtbridgeError: it is none of the three.
    """
    known = known_models()
    folder = Path(model).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").exists():
            raise MtbridgeError(f"{model}: holds no config.json; expected a checkpoint as save_pretrained writes it")
        name = folder.resolve().name
        # `model` and the like say nothing of a model; the folder above does.
        label = f"{folder.resolve().parent.name}/{name}" if name in ("model", "checkpoint", "best", "final") else name
        return {"label": label, "kind": "LM", "source": "local", "path": str(folder)}
    entries = {**known, **{entry["repo"]: entry for entry in known.values()}}
    if model in entries:
        return entries[model]
    if REPOSITORY.fullmatch(model):
        return {"label": model.split("/")[1], "kind": "LM", "source": "hub", "repo": model}
    raise MtbridgeError(
        f"{model}: is no folder, and no repository of the Hub, which is owner/name; {nearest(model, known)}"
    )


def quick_tasks(xglue: str, languages: Sequence[str]) -> list[str]:
    """The quick tasks that a folder of the release's layout has, in English and in another of the languages.

    Raises:
        MtbridgeError: it has none of them.
    """
    found = []
    for task in QUICK:
        there = available_languages(Xglue(path=xglue), task)
        if there is None or ("en" in there and len(there & set(languages)) > 1):
            found.append(task)
    if not found:
        raise MtbridgeError(
            f"{xglue}: has none of the tasks {', '.join(QUICK)} in English and another of {', '.join(languages)}; "
            "name the tasks by --config tasks='[…]'"
        )
    return found


def own_labels(xglue: str, tasks: Sequence[str]) -> dict[str, Any]:
    """The labels of tasks whose files have others than the release's: `task_catalog` of the config, or {}.

    A folder laid out as the release may hold other classes, as the topics of SIB-200 where the release has its own.
    """
    found: dict[str, Any] = {}
    for name in tasks:
        settings = read_yaml(STUDIES / "_xglue.yaml")["task_catalog"].get(name, {})
        if settings.get("kind") != "classification" or not Path(xglue).expanduser().is_dir():
            continue
        task = TaskSettings(**settings).task(name)
        columns, _ = READERS["xglue"]().read(Xglue(path=xglue), task, "train", "en", None, 0)
        labels = sorted(set(columns["label"]))
        if not set(labels) <= set(settings["labels"]):
            found[name] = {"labels": labels}
    return {"task_catalog": found} if found else {}


def config_of(model: str, baseline: str, xglue: str | None, more: dict[str, Any]) -> dict[str, Any]:
    """What the user's config says over the preset `evaluate`.

    Args:
        model: see `entry_of`.
        baseline: another model, `untrained` (the model's twin with weights drawn anew), or `none`.
        xglue: folder or archive laid out as XGLUE; None: the preset's own task, from the Hub.
        more: further keys of the config, which win.

    Raises:
        MtbridgeError: a model or the tasks cannot be found.
    """
    mine = entry_of(model)
    config: dict[str, Any] = {
        "study": PRESET,
        "name": f"{PRESET}-{re.sub(r'[^A-Za-z0-9._-]+', '-', mine['label']).strip('-.') or 'mine'}",
        "models": ["mine", *({UNTRAINED: [UNTRAINED], NONE: []}.get(baseline, ["baseline"]))],
        "model_catalog": {"mine": mine},
    }
    if baseline == NONE:
        config["compare"] = []
    elif baseline != UNTRAINED:
        config["model_catalog"]["baseline"] = entry_of(baseline)
        config["compare"] = [["mine", "baseline"]]
    languages = more.get("languages") or _of_preset("languages")
    if xglue is not None:
        config["xglue"] = xglue
        if "tasks" not in more:
            config["tasks"] = quick_tasks(xglue, languages)
            config |= own_labels(xglue, config["tasks"])
    config |= _compared_texts(xglue, languages, more.get("tasks") or config.get("tasks") or _of_preset("tasks"))
    return merge(config, more)


def _of_preset(key: str) -> Any:
    return next(content[key] for _, content in reversed(preset(PRESET)) if key in content)


def _compared_texts(xglue: str | None, languages: Sequence[str], tasks: Sequence[str]) -> dict[str, Any]:
    """Where the texts come from on which hidden states are compared.

    The best are translations of each other: those of XNLI, or else what the project generates in its languages. For
    other languages they are rows of a task, which need not be translations.
    """
    there = available_languages(Xglue(path=xglue), TRANSLATED) if xglue else set()
    if there is not None and set(languages) <= there:
        return {"corpora": {"parallel_from": {"task": TRANSLATED, "columns": ["hypothesis"]}}}
    from mtbridge.data.world import LANGUAGES

    if set(languages) <= set(LANGUAGES):
        return {}
    return {"protocol_catalog": {"sound": {"corpus": {"task": tasks[0], "lines": 100}}}}


def snakemake_words(config: dict[str, Any]) -> list[str]:
    """The words behind `snakemake` that run a study of this config."""
    values = (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in config.values())
    return ["--config", *(f"{key}={value}" for key, value in zip(config, values, strict=True))]


def as_command(words: Sequence[str]) -> str:
    """The command as one types it into a shell."""
    return shlex.join(["snakemake", *words])
