"""The report page: one self-contained HTML file with everything a study found, read from the files under its results.

Nothing here is measured anew. Scores' differences between models are drawn from the same replicates as the tables'
intervals (`tables.changes`); all else is read from the files named in the page's last section. What is not there yet is
left out and said to be missing.
"""

import base64
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json, read_parquet, whole
from mtbridge.presentation import tables
from mtbridge.presentation.layout import GAP, Block, Cell, Layout, Outline, number, signed
from mtbridge.tasks.metrics import METRICS

# The line that `errors.command` ends a log with.
COST = re.compile(r"^time: [\d.]+ s, cpu ([\d.]+) s(?:, ([\d.]+) s of it before work)?(?:, warm)?$", re.MULTILINE)
KIND_NAMES = {
    "LM": "language model",
    "MT": "translation from scratch",
    "CP": "continued on translation",
    "control": "control",
}


def gather(results, outline: Outline, protocols) -> dict:
    """All that the page shows. `protocols`: the study's own first, then those shown beside it (in a subfolder)."""
    results = Path(results)
    sources = {}
    cards = _jsons(outline, results, "models/{}/card.json")
    pretraining = _jsons(outline, results, "checkpoints/{}/pretraining.json")
    runs = {
        key: read_json(path)
        for key in outline.grid()
        if (path := results / "runs" / key[0] / key[1] / key[2] / f"seed{key[3]}" / "run.json").exists()
    }
    expected = len(list(outline.grid()))
    views = [_view(results, outline, protocol, protocol == protocols[0], sources) for protocol in protocols]
    changed = tables.changes(outline, protocols[0], results / "scores")
    translation = _translation(results, outline)
    spectra = [view["frames"].get(n) for view in views[:1] for n in (2, 5)]
    sources |= {
        "Models": "models/<model>/card.json, checkpoints/<model>/pretraining.json",
        "What continuing changed": "scores/<recipe>/<model>/<task>/seed<k>.parquet and .npz",
        "Translation": "translation/<model>.parquet",
        "Training curves, time, versions": "runs/<recipe>/<model>/<task>/seed<k>/run.json, "
        "checkpoints/<model>/pretraining.json",
        "Words cut off": "scores/<recipe>/<model>/<task>/seed<k>.parquet, column cut",
    }
    return {
        "outline": outline,
        "protocol": protocols[0],
        "runs": len(runs),
        "expected": expected,
        "languages": sorted({language for task in outline.tasks for language in task.languages}),
        "models": _models(outline, cards, pretraining),
        "recipes": _recipes(outline, runs),
        "versions": _versions(runs),
        "reading": reading(outline, views[0]["frames"], changed, translation, spectra, (len(runs), expected)),
        "views": views,
        "changes": _changes_layout(changed, outline),
        "translation": _translation_layout(translation, outline),
        "curves": _curves(outline, pretraining, runs),
        "time": _time(outline, pretraining, runs),
        "cost": _cost(results),
        "cut": _cut(results, outline),
        "sources": sources,
        "results": results.name,
    }


def _jsons(outline: Outline, results: Path, pattern: str) -> dict:
    paths = {model.key: results / pattern.format(model.key) for model in outline.models}
    return {key: read_json(path) for key, path in paths.items() if path.exists()}


def _view(results: Path, outline: Outline, protocol: str, own: bool, sources: dict) -> dict:
    """The tables and figures of one protocol, as they lie in their files."""
    folder = "" if own else f"{protocol}/"
    view = {"protocol": protocol, "own": own, "tables": {}, "figures": {}, "frames": {}, "cka": {}}
    for table in range(1, 6):
        path = results / "tables" / folder / f"table{table}.csv"
        if path.exists():
            view["frames"][table] = frame = tables.read_csv(path)
            view["tables"][table] = tables.lay_out(table, frame, outline, protocol)
            sources[f"Table {table}" + ("" if own else f" ({protocol})")] = f"tables/{folder}table{table}.csv"
    for figure in (1, 2):
        path = results / "figures" / folder / f"figure{figure}.svg"
        if path.exists():
            # As an image of its own: two inlined drawings would share the names of their glyphs and clips.
            view["figures"][figure] = base64.b64encode(path.read_bytes()).decode("ascii")
            sources[f"Figure {figure}" + ("" if own else f" ({protocol})")] = (
                f"figures/{folder}figure{figure}.svg, .csv"
            )
        if path.with_suffix(".csv").exists():
            view["frames"][f"figure{figure}"] = tables.read_csv(path.with_suffix(".csv"))
    return view


# ---- the reading ---------------------------------------------------------------------------------------------------


def reading(outline: Outline, frames: dict, changed: pd.DataFrame, translation, spectra, runs) -> list[str]:
    """What the numbers say, as sentences. Every claim of a difference rests on an interval that excludes zero."""
    sentences = []
    done, expected = runs
    if done < expected:
        sentences.append(f"This page is not complete: {done} of {expected} fine-tuning runs are there.")
    sentences.append(
        "There is one pretraining per model. The intervals hold chance in fine-tuning seeds and test examples, not in "
        "pretraining: they tell these checkpoints apart and are no evidence about the objectives as such."
    )
    if 1 in frames:
        sentences += _against_floor(outline, frames[1])
    sentences += _continued(outline, changed)
    if "figure1" in frames:
        sentences += _models_alike(outline, frames["figure1"])
    if "figure2" in frames:
        sentences += _languages_alike(outline, frames["figure2"])
    sentences += _weights_moved(outline, [frame for frame in spectra if frame is not None])
    if len(translation):
        means = translation.groupby("model")[["chrf", "chrf_copy"]].mean()
        shown = [f"{outline.short(k)} {number(means.loc[k, 'chrf'])}" for k in _keys(outline) if k in means.index]
        copied = means["chrf_copy"].mean()
        text = f"Translation, mean chrF over the directions learnt: {_join(shown)}"
        sentences.append(text + (f"; copying the source scores {number(copied)}." if copied == copied else "."))
    return sentences


def _keys(outline: Outline) -> list[str]:
    return [model.key for model in outline.models]


def _join(parts) -> str:
    parts = list(parts)
    return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1] if parts else ""


def _against_floor(outline: Outline, frame: pd.DataFrame) -> list[str]:
    """Models against the majority class (English where the table has it), and the untrained encoder."""
    statistic = "english" if "english" in set(frame["statistic"]) else "average"
    name = "English" if statistic == "english" else "the mean over languages"
    part = frame[(frame["statistic"] == statistic) & frame["ours"].notna()]
    floor = part[part["model"] == tables.MAJORITY].set_index("task")["ours"]
    labels = {task.name: task.label for task in outline.tasks}
    sentences = []
    for recipe in outline.recipes:
        within = f"With recipe {recipe}, on" if len(outline.recipes) > 1 else "On"
        rows = part[(part["recipe"] == recipe) & part["task"].isin(floor.index)]
        rows = rows.assign(above=rows["low"] > rows["task"].map(floor).astype(float))
        trained = rows[rows["model"] != "random"]
        if len(trained):
            below = trained[~trained["above"]]
            text = f"{within} {name}, {trained['above'].sum()} of {len(trained)} trained scores (model × task) lie "
            text += "above the majority class with their whole interval"
            if len(below):
                by_model = below.groupby("model", sort=False)["task"].apply(lambda ts: ", ".join(labels[t] for t in ts))
                text += "; not: " + "; ".join(f"{outline.short(model)} on {tasks}" for model, tasks in by_model.items())
            sentences.append(text + ".")
        untrained = rows[rows["model"] == "random"]
        if len(untrained):
            sentences.append(
                f"The untrained encoder, fine-tuned alike, lies above it on {untrained['above'].sum()} of "
                f"{len(untrained)} tasks: what fine-tuning alone can learn."
            )
    return sentences


def _change(name: str, row, words=("rose", "fell")) -> str:
    word = words[0] if row["low"] > 0 else words[1] if row["high"] < 0 else "no clear change,"
    return f"{name} {word} {signed(row['change'])} [{number(row['low'])}, {number(row['high'])}]"


def _continued(outline: Outline, changed: pd.DataFrame) -> list[str]:
    """Each continued model against its base and the control: mean over tasks, then how many tasks are clear."""
    sentences, fell_too, comparisons = [], [], 0
    for (recipe, model, against), part in changed.groupby(["recipe", "model", "against"], sort=False):
        means = part[part["task"] == "mean over tasks"].set_index("statistic")
        single = part[(part["task"] != "mean over tasks") & (part["statistic"] == "zero_shot")]
        name = outline.short(model) + (f" (recipe {recipe})" if len(outline.recipes) > 1 else "")
        parts = []
        if {"english", "zero_shot", "gap"} <= set(means.index):
            parts.append(_change("English", means.loc["english"]))
            parts.append(_change("zero-shot", means.loc["zero_shot"]))
            parts.append(_change("gap", means.loc["gap"], ("widened", "narrowed")))
            if against == outline.model(model).base and (means.loc[["english", "zero_shot"], "high"] < 0).all():
                fell_too.append(name)
        if len(single):
            up, down = int((single["low"] > 0).sum()), int((single["high"] < 0).sum())
            parts.append(f"zero-shot clearly higher on {up}, clearly lower on {down} of {len(single)} tasks")
            comparisons += len(single)
        if parts:
            sentences.append(f"{name} against {outline.short(against)}, in points over all tasks: {'; '.join(parts)}.")
    if fell_too:
        sentences.append(f"English fell too for {_join(fell_too)}: what was lost is not transfer alone.")
    if comparisons:
        expected = number(0.05 * comparisons, 0)
        sentences.append(
            f"Of these {comparisons} comparisons on a task, about {expected} would look clear by chance if nothing "
            "differed."
        )
    return sentences


def _languages_alike(outline: Outline, frame: pd.DataFrame) -> list[str]:
    """Figure 2: are a continued model's languages more alike than its base's?"""
    shown, keys = [], ["layer", "language_a", "language_b"]
    for model in outline.models:
        one, base = (frame[frame["model"] == key].dropna(subset=["value"]) for key in (model.key, model.base))
        both = one.merge(base, on=keys, suffixes=("", "_base"))
        if both.empty:
            continue
        more, less = (both["low"] > both["high_base"]).sum(), (both["high"] < both["low_base"]).sum()
        means = f"{number(both['value'].mean(), 2)} against {number(both['value_base'].mean(), 2)}"
        null = f", null {number(both['null'].mean(), 2)}" if both["null"].notna().any() else ""
        shown.append(
            f"{outline.short(model.key)} in {more} of {len(both)} (less in {less}; mean CKA {means} in "
            f"{outline.short(model.base)}{null})"
        )
    if not shown:
        return []
    return [
        "Cells (layer × language pair) where two languages are more alike than in the base, the intervals not "
        "overlapping: " + "; ".join(shown) + "."
    ]


def _models_alike(outline: Outline, frame: pd.DataFrame) -> list[str]:
    """Figure 1, last layer: how near the continued models stayed to their base."""
    last = frame[frame["layer"] == frame["layer"].max()].dropna(subset=["value"])
    means = last.groupby(["model_row", "model_column"])["value"].mean()
    sentences = []
    for base in dict.fromkeys(model.base for model in outline.models if model.base):
        shown = [
            f"{outline.short(model.key)} {number(means[base, model.key], 2)}"
            for model in outline.models
            if (base, model.key) in means.index
        ]
        if shown:
            sentences.append(f"In the last layer, mean CKA over languages with {outline.short(base)}: {_join(shown)}.")
    return sentences


def _weights_moved(outline: Outline, frames) -> list[str]:
    if not frames:
        return []
    frame = pd.concat(frames).dropna(subset=["d"])
    moved = []
    for family in tables.families(outline):
        base = frame[frame["model"] == family[0]].set_index(["layer", "matrix"])["sigma_norm"]
        for model in family[1:]:
            part = frame[frame["model"] == model].set_index(["layer", "matrix"])
            part = part.join(base.rename("base"), how="inner")
            if len(part):
                relative = 100 * (part["d"] / part["base"]).median()
                uniform = 100 * part["uniform_share"].median()
                text = f"{outline.short(model)} by {number(relative, 1)} % of the base's norm"
                moved.append(
                    text + (f" ({number(uniform, 0)} % of d² is one uniform factor)" if uniform == uniform else "")
                )
    return [f"Singular values moved, in the median matrix: {'; '.join(moved)}."] if moved else []


# ---- tables of the page itself -------------------------------------------------------------------------------------


def _models(outline: Outline, cards: dict, pretraining: dict) -> Layout:
    rows = []
    for model in outline.models:
        card, trained = cards.get(model.key, {}), pretraining.get(model.key, {})
        sizes = card.get("parameters", {})
        rows.append(
            [
                Cell(model.label),
                Cell(KIND_NAMES[model.kind] + (f", from {outline.label(model.base)}" if model.base else "")),
                Cell(_objective(model.key, trained)),
                *(Cell(_millions(sizes.get(part))) for part in ("body", "embeddings")),
                Cell(f"{card['layers']} × {card['hidden_size']}" if {"layers", "hidden_size"} <= set(card) else GAP),
                *(Cell(f"{trained[key]:,}" if key in trained else GAP) for key in ("steps", "tokens")),
                Cell(
                    str(card.get("source") or GAP),
                    (f"sha256 {str(card['sha256'])[:12]}",) if card.get("sha256") else (),
                ),
            ]
        )
    kinds = [model.kind for model in outline.models]
    header = [
        "model",
        "kind",
        "objective",
        "body",
        "embeddings",
        "layers × width",
        "updates here",
        "tokens here",
        "source",
    ]
    rules = frozenset(i for i in range(len(kinds) - 1) if kinds[i] != kinds[i + 1])
    notes = ["Parameters of the encoder, in millions, body and embeddings apart."]
    return Layout("Models", "", [Block(header, rows, rules=rules, stub=3, left=frozenset([8]))], notes)


def _objective(key: str, trained: dict) -> str:
    """masked lm; translation, many-to-one; none for the untrained encoder."""
    if not trained:
        return "none" if key == "random" else GAP
    parts = [str(trained.get("objective", GAP)).replace("_", " ")]
    return ", ".join(parts + [trained["directions"]] * isinstance(trained.get("directions"), str))


def _millions(value) -> str:
    return GAP if value is None else f"{value / 1e6:.1f}" if value < 1e8 else f"{value / 1e6:.0f}"


def _recipes(outline: Outline, runs: dict) -> Layout:
    """The settings of every recipe: from the study, or as the runs recorded them."""
    settings = {}
    for recipe in outline.recipes:
        found = outline.settings.get(recipe) or next(
            (run["recipe"] for key, run in runs.items() if key[0] == recipe), {}
        )
        settings[recipe] = found if isinstance(found, dict) else {}
    names = list(dict.fromkeys(name for values in settings.values() for name in values))
    rows = [[Cell(name), *(Cell(_setting(settings[recipe].get(name))) for recipe in outline.recipes)] for name in names]
    return Layout("Recipes", "", [Block(["setting", *outline.recipes], rows, stub=1 + len(outline.recipes))], [])


def _setting(value) -> str:
    if value is None or value == {}:
        return GAP
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_setting(item)}" for key, item in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _versions(runs: dict) -> list[tuple[str, str]]:
    """Every version that the runs report: (name, versions seen)."""
    seen = {}
    for run in runs.values():
        for name, version in {**run.get("versions", {}), "commit": run.get("commit")}.items():
            if version:
                seen.setdefault(name, set()).add(str(version))
    return [(name, ", ".join(sorted(values))) for name, values in sorted(seen.items())]


def _changes_layout(changed: pd.DataFrame, outline: Outline) -> Layout | None:
    if changed.empty:
        return None
    rows = {tuple(r[:5]): r for r in changed.itertuples(index=False)}
    tasks = [task.name for task in outline.tasks] + ["mean over tasks"]
    labels = {task.name: task.label for task in outline.tasks}
    tasks = [task for task in tasks if (changed["task"] == task).any()]
    blocks = []
    for recipe in outline.recipes:
        part = changed[changed["recipe"] == recipe]
        body, rules = [], set()
        for model, against in part[["model", "against"]].drop_duplicates().itertuples(index=False):
            for index, statistic in enumerate(("english", "zero_shot", "gap")):
                cells = [Cell(f"{outline.label(model)} − {outline.label(against)}" if index == 0 else "")]
                cells.append(Cell(tables.STATISTICS[statistic]))
                for task in tasks:
                    row = rows.get((recipe, model, against, task, statistic))
                    if row is None:
                        cells.append(Cell(GAP))
                        continue
                    clear = row.low > 0 or row.high < 0
                    cells.append(
                        Cell(signed(row.change), (f"[{number(row.low)}, {number(row.high)}]",), "*" if clear else "")
                    )
                body.append(cells)
            rules.add(len(body) - 1)
        if body:
            title = f"Recipe {recipe}" if len(outline.recipes) > 1 else ""
            header = ["difference", "score", *(labels.get(task, task) for task in tasks)]
            blocks.append(Block(header, body, title=title, rules=frozenset(rules), stub=2))
    notes = ["Percent points; 95 % intervals paired on test examples. * The interval excludes zero."]
    return Layout(
        "What continuing changed", "Differences between a continued model and what it is compared with.", blocks, notes
    )


def _translation(results: Path, outline: Outline) -> pd.DataFrame:
    columns = ["model", "source", "target", "chrf", "chrf_copy", "n"]
    paths = [results / "translation" / f"{model.key}.parquet" for model in outline.models]
    frames = [read_parquet(path, columns) for path in paths if path.exists()]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _translation_layout(frame: pd.DataFrame, outline: Outline) -> Layout | None:
    if frame.empty:
        return None
    models = [key for key in _keys(outline) if key in set(frame["model"])]
    values = {(r.model, r.source, r.target): r.chrf for r in frame.itertuples()}
    copied = frame.groupby(["source", "target"])["chrf_copy"].mean()
    rows = [
        [Cell(f"{a} → {b}"), *(Cell(number(values.get((model, a, b)))) for model in models), Cell(number(copied[a, b]))]
        for a, b in copied.index
    ]
    means = frame.groupby("model")["chrf"].mean()
    rows.append(
        [Cell("mean of its directions"), *(Cell(number(means[m])) for m in models), Cell(number(copied.mean()))]
    )
    header = ["direction", *(outline.label(model) for model in models), "copying the source"]
    notes = [
        f"chrF (0–100) on {_join(str(n) for n in sorted({int(n) for n in frame['n']}))} held-out sentences each. "
        f"{GAP}: a direction that the model was not trained on."
    ]
    block = Block(header, rows, rules=frozenset([len(rows) - 2]))
    return Layout("Translation", "What the models that translate have learnt.", [block], notes)


def _curves(outline: Outline, pretraining: dict, runs: dict) -> dict[str, str]:
    """Two drawings: pretraining loss (a panel a model), fine-tuning loss (a panel a task, the first seed there is)."""
    from mtbridge.presentation.figures import training_curves

    drawings = {}
    panels = {outline.label(key): {"": value["loss"]} for key, value in pretraining.items() if value.get("loss")}
    if panels:
        drawings["Pretraining loss"] = training_curves(panels)
    panels = {}
    for recipe in outline.recipes:
        for task in outline.tasks:
            lines = {}
            for model in outline.models:
                curves = [
                    runs[key]["loss"]
                    for seed in outline.seeds
                    if (key := (recipe, model.key, task.name, seed)) in runs and runs[key].get("loss")
                ]
                if curves:
                    lines[model.label] = curves[0]
            if lines:
                panels[task.label + (f", {recipe}" if len(outline.recipes) > 1 else "")] = lines
    if panels:
        drawings["Fine-tuning loss"] = training_curves(panels)
    return {name: base64.b64encode(svg.encode()).decode("ascii") for name, svg in drawings.items()}


def _time(outline: Outline, pretraining: dict, runs: dict) -> Layout | None:
    if not runs and not pretraining:
        return None
    phases = list(dict.fromkeys(phase for run in runs.values() for phase in run.get("seconds", {})))
    rows, totals = [], np.zeros(len(phases) + 1)
    for model in outline.models:
        own = [run for key, run in runs.items() if key[1] == model.key]
        before = pretraining.get(model.key, {}).get("seconds")
        spent = [sum(run.get("seconds", {}).get(phase, 0) for run in own) for phase in phases]
        totals += np.array([_seconds(before), *spent])
        speeds = [run["tokens_per_second"] for run in own if run.get("tokens_per_second")]
        memory = [run["peak_memory_mb"] for run in own if run.get("peak_memory_mb")]
        rows.append(
            [
                Cell(model.label),
                Cell(_duration(_seconds(before)) if before is not None else GAP),
                Cell(str(len(own))),
                *(Cell(_duration(value) if own else GAP) for value in spent),
                Cell(f"{np.median(speeds):,.0f}" if speeds else GAP),
                Cell(f"{max(memory):,.0f}" if memory else GAP),
            ]
        )
    total = totals.sum()
    shares = [f"{100 * value / total:.0f} %" if total else GAP for value in totals]
    cells = [Cell(_duration(value), (share,)) for value, share in zip(totals, shares, strict=True)]
    rows.append([Cell("all"), cells[0], Cell(str(len(runs))), *cells[1:], Cell(""), Cell("")])
    header = [
        "model",
        "pretraining",
        "runs",
        *(f"fine-tuning: {phase}" for phase in phases),
        "tokens/s",
        "peak memory, MB",
    ]
    notes = [
        "Wall time inside the jobs, summed over runs, as the runs report it; jobs side by side take less by the clock. "
        "Prediction, scoring, similarity and spectra report no time. Tokens/s: median over runs."
    ]
    return Layout("Time", "Where the time went.", [Block(header, rows, rules=frozenset([len(rows) - 2]))], notes)


def _cost(results: Path) -> Layout | None:
    """CPU time by kind of job, from the last lines of the logs: all of it, and what went by before work began."""
    spent: dict[str, np.ndarray] = {}
    for path in sorted(results.glob("logs/**/*.log")):
        found = COST.findall(path.read_text(encoding="utf-8", errors="replace"))
        if found:
            rule = path.relative_to(results / "logs").parts[0].removesuffix(".log")
            cpu, before = (float(value or 0) for value in found[-1])
            spent[rule] = spent.get(rule, np.zeros(3)) + np.array([1, cpu, before])
    if not spent:
        return None
    total = sum(spent.values())
    rows = [
        [
            Cell(name),
            Cell(f"{jobs:.0f}"),
            Cell(_duration(cpu), (f"{100 * cpu / max(total[1], 1e-9):.0f} %",)),
            Cell(_duration(before), (f"{100 * before / max(cpu, 1e-9):.0f} % of it",)),
        ]
        for name, (jobs, cpu, before) in [*sorted(spent.items(), key=lambda item: -item[1][1]), ("all", total)]
    ]
    notes = ["CPU time as each job's log ends with it. Before work: imports and reading, up to the first computation."]
    header = ["job", "jobs", "CPU time", "before work"]
    return Layout("Cost", "What the jobs cost.", [Block(header, rows, rules=frozenset([len(rows) - 2]))], notes)


def _seconds(value) -> float:
    if isinstance(value, dict):
        return float(sum(value.values()))
    return float(value or 0)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02d} min"


def _cut(results: Path, outline: Outline) -> Layout | None:
    """Words of the test sets that got no prediction, by tagging task and model (all languages, mean over seeds)."""
    tagging = [task for task in outline.tasks if METRICS[task.metric][0].unit == "sentence"]
    rows, found = [], False
    for recipe in outline.recipes:
        for model in outline.models:
            cells = [Cell(model.label + (f" ({recipe})" if len(outline.recipes) > 1 else ""))]
            for task in tagging:
                counts = []
                for seed in outline.seeds:
                    path = results / "scores" / recipe / model.key / task.name / f"seed{seed}.parquet"
                    if path.exists():
                        frame = read_parquet(path, ["language", "split", "cut"])
                        frame = frame[frame["split"] == "test"].drop_duplicates("language")
                        counts.append(int(frame["cut"].sum()))
                found = found or bool(counts)
                cells.append(Cell(f"{np.mean(counts):,.0f}" if counts else GAP))
            rows.append(cells)
    if not found:
        return None
    notes = [
        "Words beyond the length limit or without a sub-word: wrong in token accuracy, O in entity F1 and "
        "in XGLUE's POS number."
    ]
    header = ["model", *(task.label for task in tagging)]
    return Layout("Words cut off", "Words of the test sets without a prediction.", [Block(header, rows)], notes)


def render(values: dict, template) -> str:
    """The page as HTML; everything that comes from data is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

    template = Path(template)
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template(template.name).render(**values)
    except TemplateError as error:
        raise MtbridgeError(f"{template}: the page's template does not work ({error!r})") from error


def write(results, outline: Outline, protocols, template, output) -> None:
    """Write the page, whole or not at all."""
    page = render(gather(results, outline, protocols), template)
    with whole(output) as temporary:
        temporary.write_text(page, encoding="utf-8")
