"""Which rows of a split are kept: a sample that depends on their ids alone."""

from mtbridge.base.sampling import sample
from mtbridge.tasks.kinds import kind_of


def drawn(columns: dict, task, count: int, stream: str) -> list[int]:
    """The numbers of at most `count` rows, ascending: a sample drawn by `stream`. A ranking keeps whole queries.

    Which rows are drawn depends on their ids, so where rows of several languages have the same ids, they are the same
    in all. All rows, if there are no more than `count`.
    """
    rows = len(columns["label"])
    if rows <= count:
        return list(range(rows))
    column = kind_of(task).group_column(task)
    groups: dict[str, list[int]] = {}
    for row in range(rows):
        groups.setdefault(columns[column][row] if column else str(row), []).append(row)
    # A group is known by the id of its first row: texts differ between languages, ids need not.
    by_id = {columns["example_id"][group[0]]: group for group in groups.values()}
    kept: list[int] = []
    for name in sample(by_id, stream):
        # As many whole groups as fit, but at least one.
        if kept and len(kept) + len(by_id[name]) > count:
            break
        kept += by_id[name]
    return sorted(kept)
