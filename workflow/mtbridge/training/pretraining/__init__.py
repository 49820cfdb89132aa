"""Pretraining of small models from scratch, and continued pretraining from another model's weights.

    objectives       what a model learns: one object per objective, chosen by name
    texts            the corpus as tokens, its samples in random order, and batches of about equal length
    initialization   the model that is trained: new, or its base
    loop             the updates, the state of an interrupted training, the checkpoint
    budget           tokens, updates and FLOPs of a pretraining
    translation      the quality of a translation model: chrF of held-out lines

A budget is a number of steps of a number of tokens, never of seconds: a step holds `tokens_per_step` tokens of source
and target together on average, so two objectives with the same budget see the same number of tokens. Their encoders do
not: masked LM has no target, and the source of denoising is shorter than its target. So a control matches a model: it
gets as many updates and as many tokens of the encoder, from texts of the same number of lines.

What it gives up: models made here have no dropout, and only one process trains them. They are small enough for a minute
or two on one core.
"""
