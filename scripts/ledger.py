"""The ledger: every claim of arXiv 2403.16777, what the published tables say to it, and what a study's results say.

In   --published: folder of the published tables; --study: the study's outline as JSON. Of its results what is there:
     --contrasts, --separability, --slopes (inference/*.parquet), --similarity (cka/), --spectra (spectra/)
Out  Parquet; the columns are those of mtbridge/inference/claims/ledger.py
"""

import argparse
from pathlib import Path

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--published", required=True, type=Path)
    parser.add_argument("--study", required=True)
    parser.add_argument("--protocol", required=True)
    parser.add_argument("--contrasts")
    parser.add_argument("--separability")
    parser.add_argument("--slopes")
    parser.add_argument("--similarity")
    parser.add_argument("--spectra")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    import pandas as pd

    from mtbridge.base.files import read_parquet, write_parquet
    from mtbridge.inference import separability, verdicts
    from mtbridge.inference.claims.ledger import claims_frame
    from mtbridge.inference.claims.published import Tables
    from mtbridge.inference.claims.study import Study
    from mtbridge.inference.similarity import languages_alike
    from mtbridge.inference.spectra import distances_frame
    from mtbridge.study.outline import read_outline

    outline, protocol, none = read_outline(arguments.study), arguments.protocol, pd.DataFrame()
    contrasts = read_parquet(arguments.contrasts, verdicts.COLUMNS) if arguments.contrasts else none
    study = Study(
        outline,
        contrasts[contrasts["protocol"] == protocol] if arguments.contrasts else none,
        read_parquet(arguments.separability, separability.DIFFERENCES) if arguments.separability else none,
        read_parquet(arguments.slopes, separability.SLOPES) if arguments.slopes else none,
        languages_alike(outline, protocol, arguments.similarity) if arguments.similarity else none,
        distances_frame(outline, arguments.spectra) if arguments.spectra else none,
    )
    write_parquet(claims_frame(Tables(arguments.published), study), arguments.output)


if __name__ == "__main__":
    command(main)
