"""mtbridge: does an objective help a multilingual encoder transfer from English, and what does it do to it?

Rooms, from the top down; a module imports from its own room and from lower ones only:
    presentation     tables, figures and the page: views of what is there
    inference        what may be claimed from scores: intervals, differences, published values
    representations  hidden states, and how alike they are
    weights          singular values, and what is read from them
    generation       models that write: adapted to a task, their outputs and what is wrong with them
    training         fine-tuning, prediction, pretraining
    models           encoders: any checkpoint in one form, how it is fed and run
    study            which runs a study has: settings, checks, grid, plan
    data             where text and examples come from, and their tokens
    tasks            kinds of tasks, and what they are scored by
    specs            what may be set, and the facts of model families, declared once
    base             errors, files, progress, identity of code, devices, how programs start

Planning a study imports nothing heavy: only models, training, generation, weights and representations import torch.
"""
