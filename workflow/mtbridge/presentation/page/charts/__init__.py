"""The page's interactive pictures: Vega-Lite specifications of the frames that the figures' CSVs hold.

A picture's module has functions (frame, outline) -> `Picture`; `CHARTS` maps a figure of the catalog to its function.
A figure without one stands on the page as its file.
"""

from collections.abc import Callable

from mtbridge.presentation.page.charts import curves, differences, languages, states, writing
from mtbridge.presentation.page.charts.picture import Picture

CHARTS: dict[str, Callable[..., Picture | None]] = {
    "forest": differences.forest,
    "interventions": differences.interventions,
    "dose": curves.dose,
    "rates": writing.rates,
    "figure1": states.of_models,
    "procrustes": states.of_models,
    "figure2": languages.inside_models,
    "alike": languages.differences,
    "sigma": curves.singular_values,
    "separability": curves.separability,
    "transfer": differences.transfer,
    "retrieval_layers": curves.retrieval,
}
