"""A graded label for a (query, document) pair, and the order of a query's documents."""

from mtbridge.tasks.kinds.classification import Pair


class Ranking(Pair):
    """Rows with the same text in the first column are the results of one query, wherever they stand."""

    name = "ranking"
    metrics = ("ndcg",)

    def label_problems(self, task):
        """In addition: labels are gains, which are whole numbers."""
        odd = [label for label in task.labels if not label.isdecimal()]
        wrong = [("labels", f"'{odd[0]}' is no gain; expected whole numbers")] if odd else []
        return [*super().label_problems(task), *wrong]

    def group_column(self, task):
        """The query."""
        return task.columns[0]
