"""One label for one text, for several that belong together (title, body), or for a pair of texts."""

from mtbridge.tasks.kinds.kind import Kind


class Classification(Kind):
    """One label for an example of one text, or two."""

    name = "classification"
    metrics = ("accuracy",)


class Pair(Classification):
    """One label for a pair of texts."""

    name = "pair"
    texts = (2, 2)
