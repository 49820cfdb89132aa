"""The settings of recipes and of ways of adapting, of which each may leave out some."""

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from mtbridge.specs.adaptation import Adaptation
from mtbridge.specs.names import Name, Names
from mtbridge.specs.recipe import Recipe
from mtbridge.specs.setting import optional, setting, specification

# The settings that a recipe may change for a task.
RECIPE_SETTINGS = tuple(field.name for field in fields(Recipe))

# A type checker takes only classes that are written down, so for it a recipe's settings are those of a complete one.
if TYPE_CHECKING:
    OptionalRecipe = Recipe
    OptionalAdaptation = Adaptation
else:
    OptionalRecipe = optional(Recipe)
    OptionalAdaptation = optional(Adaptation)


@specification
class RecipeSettings(OptionalRecipe):
    """The settings that a recipe sets, and those that differ for some tasks."""

    by_task: dict[Name, dict[str, Any]] = setting(
        {}, description="Settings that differ for a task: {pos: {learning_rate: 2e-5}}."
    )

    @property
    def common(self) -> dict[str, Any]:
        """The settings that are set for all tasks."""
        return {name: getattr(self, name) for name in RECIPE_SETTINGS if getattr(self, name) is not None}


@specification
class AdaptationSettings(OptionalAdaptation):
    """The settings that a way of adapting sets, and its learning rates."""

    rates: list[Annotated[float, Field(gt=0)]] = setting(
        [], description="Peak learning rates, each of which is run; the best on English dev is shown. Default: one."
    )
    models: Names | None = setting(None, description="The models that are adapted in this way; default: all that can.")
    tasks: Names | None = setting(None, description="The tasks that they are adapted to; default: all of generation.")
