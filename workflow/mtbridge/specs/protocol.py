"""How runs are scored and shown. A study has one protocol or several; none of their settings causes a new training."""

from collections.abc import Collection
from typing import Literal, get_args

from mtbridge.specs.names import Name
from mtbridge.specs.setting import setting, specification

Statistic = Literal["average", "english", "zero_shot", "gap"]
STATISTICS = get_args(Statistic)
ALIGNED = "parallel"  # the corpus whose rows are translations of each other


@specification
class CorpusOfTask:
    """A corpus made of a task's test examples, with the task's name. Its rows need not be translations."""

    task: Name = setting(description="Task of the catalog; a sample of its test examples is taken.")
    lines: int = setting(description="At most so many a language.", ge=4)


@specification
class Protocol:
    """A way to score and show runs; the defaults are the sound way."""

    metric: Literal["official", "sound"] = setting(
        "sound",
        description="The benchmark's official metric, or the sound one; most tasks have one that is both.",
        identity=False,
    )
    splits: dict[Name, Literal["dev", "test"]] = setting(
        {}, description="The split that is shown of a task; default: test.", identity=False
    )
    mean_without: dict[Name, tuple[Name, ...]] = setting(
        {}, description="Languages that the mean of a task leaves out, because the published mean does.", identity=False
    )
    statistics: tuple[Statistic, ...] = setting(
        STATISTICS,
        description="What Table 1 shows of a task: mean, source language, mean of the others, difference of these two.",
        identity=False,
    )
    degenerate: Literal["leave out", "count"] = setting(
        "leave out",
        description="What means do with scores that say nothing of a model: those of a constant answer, on one gold "
        "class, or of nothing. They are marked anyway.",
        identity=False,
    )
    estimator: Literal["biased", "debiased"] = setting("debiased", description="Of CKA.", identity=False)
    scale: Literal["figure", "panel"] = setting(
        "figure", description="One colour scale for a whole figure, or one for each panel.", identity=False
    )
    column_width: float = setting(
        3.3,
        description="Inches of one column of a paper: the width of `figures/<name>.column.pdf` and `.png`.",
        ge=3.0,
        le=4.5,
        identity=False,
    )
    page_width: float = setting(
        7.0,
        description="Inches of a page's text, or of both columns: the width of `figures/<name>.page.pdf` and `.png`; "
        "tables in LaTeX are made to fit it too.",
        ge=5.5,
        le=11,
        identity=False,
    )
    model_pairs: tuple[tuple[Name, Name], ...] = setting(
        (), description="Models that share a matrix in Figure 2: the first has the lower triangle.", identity=False
    )
    other_models: bool = setting(
        True,
        description="Show in Figure 2 the models of no pair too; they are shown anyway where no pair is complete.",
        identity=False,
    )
    corpus: CorpusOfTask | None = setting(
        None,
        description="The corpus on which hidden states are compared, if the study runs its task; else aligned lines.",
    )

    def split(self, task: str) -> str:
        """The split that is shown of a task."""
        return self.splits.get(task, "test")

    def corpus_name(self, tasks: Collection[str]) -> str:
        """The corpus on which a study of these tasks compares hidden states; aligned lines if the task is not run."""
        return self.corpus.task if self.corpus is not None and self.corpus.task in tasks else ALIGNED
