"""mtbridge: does an objective help a multilingual encoder transfer from English, and what does it do to it?

Where to look
    which runs a study has           config, grid; what makes a run stale: base.identity
    what a task is, and its data     tasks, readers, world, corpora, text
    models                           hub, checkpoints, languages, tokens, pretrain, models
    fine-tuning and prediction       inputs, finetune
    scores                           metrics
    representations and weights      states, similarity, spectra
    what is shown                    layout, tables, comparison, figures, report, plan, export
    everywhere                       errors, files, progress

Imports run one way, from the programs in scripts/ down to the last line. Modules that compute with tensors import torch
inside their functions or not at all; planning a study imports nothing heavy.
"""
