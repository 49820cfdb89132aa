"""Checks of the models that are run: what each is made from, its plan, tokenizer, and lengths. See `checks`."""

import itertools
from pathlib import Path

from mtbridge.specs.families import FAMILIES
from mtbridge.specs.pretraining import ENCODER_ALONE, PARALLEL
from mtbridge.study import local_checkpoints
from mtbridge.study.checker import Checker
from mtbridge.study.languages import study_languages
from mtbridge.study.replicates import links
from mtbridge.tasks.kinds import kind_of


def bases_exist(checker: Checker, key: str, before: tuple[str, ...] = ()) -> None:
    """A model, its bases and the model it matches have a place or a plan, and form no circle."""
    catalog, path = checker.settings.model_catalog, (*before, key)
    _has_place_or_plan(checker, key)
    for link, other in links(catalog[key]).items():
        at = ("model_catalog", key, link)
        checker.known(at, other, catalog, "model of the catalog")
        if other in path:
            checker.wrong(at, f"a circle of bases: {' -> '.join([*path, other])}")
        bases_exist(checker, other, path)
        if link == "match" and (catalog[other].objective in (None, "none") or catalog[other].match):
            checker.wrong(at, f"'{other}' has no updates of its own; expected a model that is trained here, by `steps`")


def _has_place_or_plan(checker: Checker, key: str) -> None:
    """A local model has its folder, a model of the Hub its repository, a model that is trained here its plan."""
    at, model = ("model_catalog", key), checker.settings.model_catalog[key]
    for field in ("other", "intervention", "alpha", "matrices"):
        if getattr(model, field) is not None and model.source != "derived":
            checker.wrong((*at, field), f"belongs to derived models; '{key}' has source: {model.source}")
    if model.prefixes is not None and (model.source not in ("hub", "local") or model.tokenizer is not None):
        checker.wrong((*at, "prefixes"), "belongs to published and local models with a tokenizer of their own")
    if model.translates is not None and model.source not in ("hub", "local"):
        message = f"belongs to published and local models; '{key}' has source: {model.source}, and its own `directions`"
        checker.wrong((*at, "translates"), message)
    if model.like is not None and model.source != "untrained":
        checker.wrong((*at, "like"), f"belongs to untrained models; '{key}' has source: {model.source}")
    if model.match and model.source != "trained":
        checker.wrong((*at, "match"), f"belongs to models that are trained here; '{key}' is a checkpoint")
    if model.match and model.steps is not None:
        message = f"the updates are those of '{model.match}', which the model matches; for others say `match: null`"
        checker.wrong((*at, "steps"), message)
    if model.source == "local":
        if not model.path:
            checker.wrong((*at, "path"), "a local model needs the directory of its checkpoint")
        elif not (Path(model.path) / "config.json").exists():
            checker.wrong((*at, "path"), f"'{model.path}' holds no config.json; expected a checkpoint directory")
        elif problem := local_checkpoints.family_problem(model):
            checker.wrong((*at, problem[0]), problem[1])
    elif model.source == "hub":
        if not model.repo:
            checker.wrong((*at, "repo"), "a hub model needs its repository, as in facebook/mbart-large-50")
    elif model.source == "untrained":
        _is_like_a_checkpoint(checker, key)
    elif model.source == "derived":
        for field in ("base", "other", "intervention"):
            if getattr(model, field) is None:
                checker.wrong((*at, field), "a derived model needs it")
        if (model.intervention == "path") != (model.alpha is not None):
            checker.wrong((*at, "alpha"), "belongs to the intervention path, and is needed there")
    else:
        if model.objective is None or (model.steps is None and model.match is None):
            checker.wrong((*at, "objective" if model.objective is None else "steps"), "a trained model needs it")
        if (model.objective in PARALLEL) != (model.directions is not None):
            checker.wrong((*at, "directions"), f"belongs to the objectives {', '.join(PARALLEL)}, and is needed there")
        if model.base in (None, *checker.settings.model_catalog) and checker.settings.family_of(key) is None:
            scratch = "a model that is trained from scratch needs it"
            message = scratch if model.base is None else f"needed here or at its base '{model.base}'"
            checker.wrong((*at, "family"), f"{message}; one of {', '.join(FAMILIES)}")


def _is_like_a_checkpoint(checker: Checker, key: str) -> None:
    """An untrained model has the architecture of a checkpoint, and nothing that would say otherwise."""
    at, model = ("model_catalog", key), checker.settings.model_catalog[key]
    if model.like is None:
        checker.wrong((*at, "like"), "an untrained model needs it: the checkpoint whose architecture it has")
    for field in ("path", "repo", "base", "tokenizer", "family"):
        if getattr(model, field) is not None:
            checker.wrong((*at, field), f"'{key}' has that of '{model.like}'; leave it out")
    like = checker.settings.model_catalog.get(model.like or "")
    if like is not None and like.source not in ("local", "hub"):
        checker.wrong((*at, "like"), f"'{model.like}' is {like.source}; expected a checkpoint, local or of the Hub")


def replicates_fit(checker: Checker, key: str) -> None:
    """A model has no more pretrainings than its base, each of which continues one; a checkpoint has none here."""
    settings = checker.settings
    spec, at = settings.model_catalog[key], ("model_catalog", key, "replicates")
    if not spec.is_made_here:
        if spec.replicates is not None:
            checker.wrong(at, f"belongs to models that are trained here; '{key}' is a checkpoint, and there is one")
        return
    count = settings.replicates_of(key)
    for link, other in links(spec).items():
        if (fewer := settings.replicates_of(other)) < count:
            # The key that says how many there are: the model's own, or else that of the other model.
            place = at if spec.replicates is not None else ("model_catalog", other, "replicates")
            message = f"'{key}' has {count}, but '{other}', its {link}, has {fewer}; each continues one of its own"
            checker.wrong(place, message)
        replicates_fit(checker, other)


def derived_fits(checker: Checker, key: str) -> None:
    """The two models that a derived one is made of have one architecture and one tokenizer."""
    settings, spec = checker.settings, checker.settings.model_catalog[key]
    if spec.source != "derived" or spec.base is None or spec.other is None:
        return
    at = ("model_catalog", key, "other")
    for what, of in (("family", settings.family_of), ("tokenizer", settings.tokenizer_of)):
        one, other = of(spec.base), of(spec.other)
        if one != other:
            checker.wrong(at, f"'{spec.other}' has the {what} {other}, the base '{spec.base}' {one}; expected the same")


def tokenizer_exists(checker: Checker, key: str) -> None:
    """A model's tokenizer is one of the study's, or the own tokenizer of a model."""
    settings = checker.settings
    spec = settings.model_catalog[key]
    if spec.tokenizer is not None:
        at = ("model_catalog", key, "tokenizer")
        checker.known(at, spec.tokenizer, settings.tokenizers, "tokenizer of the study")
    name = settings.tokenizer_of(key)
    owner = settings.tokenizer_model(name)
    if owner is not None:
        checker.known(("tokenizers", name, "model"), owner, settings.model_catalog, "model")


def objective_fits(checker: Checker, key: str) -> None:
    """The model's architecture and the study's languages fit the objective."""
    settings = checker.settings
    spec, family = settings.model_catalog[key], settings.family_of(key)
    if spec.objective in PARALLEL and len(study_languages(settings)) < 2:
        checker.wrong(("languages",), f"'{key}' learns from translations and needs two languages at least")
    if spec.objective == "alignment" and settings.corpus is not None:
        at = ("model_catalog", key, "objective")
        checker.wrong(at, "alignment needs links between words, which only generated text has; `corpus` names your own")
    learns = spec.source == "trained" and spec.objective not in ("none", None)
    # Denoising and translation need a decoder too.
    if learns and family is not None and FAMILIES[family].sequence_to_sequence == (spec.objective in ENCODER_ALONE):
        at = ("model_catalog", key, "objective")
        checker.wrong(at, f"{spec.objective} cannot be learnt by the family {family}")
    if spec.objective == "translation" and family is not None and FAMILIES[family].tags is None:
        at = ("model_catalog", key, "objective")
        message = f"the family {family} has no tags of languages, so nothing would say into which language to translate"
        checker.wrong(at, message)
    tokenizer = settings.tokenizers.get(settings.tokenizer_of(key))
    if spec.objective == "span_corruption" and tokenizer and tokenizer.model is None and tokenizer.sentinels < 2:
        at = ("tokenizers", settings.tokenizer_of(key), "sentinels")
        checker.wrong(at, f"{tokenizer.sentinels}, but '{key}' learns span corruption; expected 2 at least, as 16")


def translates_if_it_can(checker: Checker, key: str) -> None:
    """A model that is said to translate has a decoder and language tags, and the study has two languages."""
    settings, family = checker.settings, checker.settings.family_of(key)
    if settings.model_catalog[key].translates is None:
        return
    at = ("model_catalog", key, "translates")
    if family is not None and not FAMILIES[family].sequence_to_sequence:
        checker.wrong(at, f"the family {family} has no decoder to translate with")
    if family is not None and FAMILIES[family].tags is None:
        checker.wrong(at, f"the family {family} has no language tags: nothing tells it the language to translate into")
    if len(study_languages(settings)) < 2:
        checker.wrong(("languages",), f"'{key}' translates and needs two languages at least")


def lengths_fit(checker: Checker, key: str) -> None:
    """No input is longer than the model takes, as far as the settings or a local config.json say that."""
    settings, spec = checker.settings, checker.settings.first_model(key)
    longest: int | None
    if spec.source == "trained":
        longest = settings.architecture.positions - 2  # XLM-R's first position is 2, the padding id + 1
        who = f"models that are trained here take {longest} (architecture.positions - 2)"
    else:
        longest = local_checkpoints.longest_input(spec)
        who = f"'{key}' takes {longest} at most ({spec.path}/config.json)"
    if longest is None:
        return
    for recipe, task in itertools.product(settings.recipes, settings.understanding_tasks):
        layers = settings.recipe_layers(recipe, settings.origin(key), task)
        field = kind_of(settings.task(task)).length_setting
        length = vars(settings.recipe(recipe, settings.origin(key), task))[field]
        places = [place for place, values in layers if field in values]
        # The default of all recipes gives way to what a checkpoint takes, see `local_checkpoints.recipe_of`.
        if length > longest and (places or spec.source == "trained"):
            at = (*(places or [("recipes", recipe)])[-1], field)  # the uppermost place that sets it
            checker.wrong(at, f"{length}, but {who}; set it to {longest} at most")
    for name, way in settings.adaptations.items() if settings.generation_tasks else ():
        for field in ("source_length", "target_length"):
            given = getattr(way, field)
            if given is not None and given > longest:
                at = ("adaptations", name, field)
                checker.wrong(at, f"{given}, but {who}; set it to {longest} at most")
    if settings.generation_tasks and settings.decoding.longest + 2 > longest:
        message = f"{settings.decoding.longest}, but {who}, the language's tag included"
        checker.wrong(("decoding", "longest"), f"{message}; set it to {longest - 2} at most")
    if settings.similarity_length > longest:
        checker.wrong(("similarity_length",), f"{settings.similarity_length}, but {who}; set it to {longest} at most")


def published_is_not_trained(checker: Checker, key: str) -> None:
    """Published values are shown only beside published models."""
    settings = checker.settings
    if settings.published and settings.origin(key) == "trained":
        message = f"published values never stand beside a model that is trained here, as '{key}' is"
        checker.wrong(("published",), message)
