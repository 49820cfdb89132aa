"""What `make list` prints."""

from mtbridge.presentation import catalog
from mtbridge.presentation.exchange.targets import TARGETS
from mtbridge.presentation.listing import listing
from mtbridge.specs.families import FAMILIES
from mtbridge.study.layers import STUDIES


def test_the_list_names_every_study_target_and_file_of_the_layout():
    text = listing()
    targets = [entry.name for entry in (*catalog.ENTRIES, *TARGETS)]
    for name in [*(path.stem for path in STUDIES.glob("[a-z]*.yaml")), *targets, *FAMILIES]:
        assert f"  {name} " in text, name
    for part in ("FacebookAI/xlm-roberta-base", "NC/xglue.nc.en.train", "PAWSX/de/dev_2k.tsv", "lr-1e-5"):
        assert part in text, part
