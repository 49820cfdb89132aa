"""Lists the definitions that a program reaches: `python -m mtbridge.base.identity finetune`."""

import signal
import sys

from mtbridge.base.identity import graph, project
from mtbridge.base.identity.reach import Reach

signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `… | head` ends without a word
if len(sys.argv) != 2 or project().file(sys.argv[1]) is None:
    sys.exit("error: expected a program of scripts/, as in: python -m mtbridge.base.identity finetune")
for node in sorted(Reach(graph(frozenset()), sys.argv[1]).found):
    print(f"{node.module}:{node.name}")
