"""The settings of a model of the catalog."""

from typing import TYPE_CHECKING, Literal

from mtbridge.specs.families import FAMILIES
from mtbridge.specs.intervention import Intervention, InterventionPlan, Matrix
from mtbridge.specs.model import ModelKind
from mtbridge.specs.names import Name, Place
from mtbridge.specs.pretraining import Directions, Objective, PretrainingPlan
from mtbridge.specs.setting import description_of, setting
from mtbridge.study.setting_groups import Strict

# A type checker takes only literals, so for it the families' names are texts.
if TYPE_CHECKING:
    FamilyName = str
else:
    FamilyName = Literal[tuple(FAMILIES)]


class ModelSettings(Strict):
    """A model of the catalog."""

    label: str = setting(identity=False, description="How the model is called in tables and figures.")
    kind: ModelKind = setting(
        description="Language model, translation from scratch, pretraining continued on parallel text, a control, or "
        "weights of two models put together (`derived`)."
    )
    source: Literal["trained", "local", "hub", "derived", "untrained"] = setting(
        default="trained",
        description="`trained` here from the study's corpus, a `local` checkpoint directory, one from the `hub`, "
        "`derived` from the weights of a base and another model, or `untrained`: the twin of another model (`like`), "
        "with the weights that its training began with.",
    )
    like: Name | None = setting(
        default=None,
        description="Of an untrained model: the checkpoint of the catalog whose architecture and tokenizer it has; its "
        "weights are drawn anew.",
    )
    path: Place | None = setting(default=None, description="Directory of a local checkpoint.")
    repo: Place | None = setting(
        default=None, description="Repository of a hub model: owner/name, or a local directory."
    )
    revision: Place = setting(
        default="main", description="Branch, tag or commit of a hub model; locked when first fetched."
    )
    tokenizer: Name | None = setting(
        default=None,
        description="Which of the study's tokenizers the model uses; default: that of its base, `shared` if trained "
        "here from scratch, else its own.",
    )
    prefixes: list[str] | None = setting(
        default=None,
        min_length=1,
        description="Of a published or local model: what it wants before the first text of an input, and before the "
        "second, as ['query: ', 'passage: ']; one holds for both. Words that have labels get none.",
    )
    seen: dict[str, list[Name]] = setting(
        default={}, description="What the model was trained on, per kind of exposure the languages: {denoising: [en]}."
    )
    seen_data: list[str] = setting(
        identity=False,
        default=[],
        description="Data sets that the model was trained on, its training examples or its test ones: tasks of the "
        "catalog, or repositories on the Hub. Its scores on tasks of these data are marked; what its base has seen "
        "counts too.",
    )
    base: Name | None = setting(
        default=None, description="The model whose pretraining this one continues, or whose weights it is derived from."
    )
    family: FamilyName | None = setting(
        default=None,
        description="Architecture. Needed of a model that is trained here from scratch, and of one of the hub that is "
        "continued, adapted or asked to translate; else found in its config.json.",
    )
    translates: Directions | None = setting(
        default=None,
        description="Of a published or local model that translates as it is: in which directions. Its translations of "
        "the study's test of translation are then scored; default: it is not asked to translate.",
    )
    # Those of a model that is trained here; any other has none of them.
    objective: Objective | None = setting(default=None, description=description_of(PretrainingPlan, "objective"))
    directions: Directions | None = setting(default=None, description=description_of(PretrainingPlan, "directions"))
    steps: int | None = setting(default=None, ge=0, description=description_of(PretrainingPlan, "steps"))
    match: Name | None = setting(
        default=None,
        description="Of a control, instead of `steps`: a model that is trained here; the control gets as many updates "
        "and encoder tokens as it, from texts of as many lines.",
    )
    replicates: int | None = setting(
        default=None, ge=1, description="Of a model that is trained here: how many times; default: the study's."
    )
    # Those of a derived model.
    other: Name | None = setting(
        default=None, description="Of a derived model: the other one, which was continued from its base."
    )
    intervention: Intervention | None = setting(
        default=None, description=description_of(InterventionPlan, "intervention")
    )
    alpha: float | None = setting(default=None, description=description_of(InterventionPlan, "alpha"))
    matrices: list[Matrix] | None = setting(
        default=None, min_length=1, description=description_of(InterventionPlan, "matrices")
    )

    @property
    def is_made_here(self) -> bool:
        """Whether it is trained here, or derived from other models of the study."""
        return self.source in ("trained", "derived")
