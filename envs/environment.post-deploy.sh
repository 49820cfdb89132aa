#!/usr/bin/env bash
# Snakemake runs this in the environment it has just made from environment.yaml: it installs the library, as a link to the
# workflow's checkout. MTBRIDGE_HOME is set by mtbridge.base.session.
set -euo pipefail
unset PYTHONPATH # the checkout's library is on it, which pip would take for installed
python -m pip install --disable-pip-version-check --no-deps --editable "${MTBRIDGE_HOME:?the folder of the Snakefile}"
