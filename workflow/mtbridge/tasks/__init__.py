"""The kinds of tasks, their metrics, and the baseline without a model."""
