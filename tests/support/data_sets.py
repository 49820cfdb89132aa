"""Data sets as the Hub has them: Parquet or packed JSON lines, and a card that names configurations and classes."""

import gzip
import io
import json

import yaml


def parquet(columns: dict[str, list], features: dict | None = None) -> bytes:
    """A Parquet file. features: those that the `datasets` library stores in it; None: the file names no class."""
    import datasets
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    if features is None:
        pq.write_table(pa.table(columns), out)
    else:
        datasets.Dataset.from_dict(columns, features=datasets.Features(features)).to_parquet(out)
    return out.getvalue()


def json_lines(columns: dict[str, list], packed: bool = False) -> bytes:
    """One object a line, packed or not."""
    rows = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    return gzip.compress(data, mtime=0) if packed else data


def card(configs: dict[str, dict[str, str]], licence: str | None = None, features: dict | None = None, **more) -> bytes:
    """A README. configs: configuration -> split -> pattern of its files.

    features: those of all configurations, as a card writes them: [{"name": …, "dtype": …}].
    """
    about: dict = {"license": licence} if licence else {}
    about |= more
    about["configs"] = [
        {"config_name": name, "data_files": [{"split": split, "path": path} for split, path in files.items()]}
        for name, files in configs.items()
    ]
    if features:
        about["dataset_info"] = [
            {"config_name": name, "features": features, "splits": [{"name": split} for split in files]}
            for name, files in configs.items()
        ]
    return f"---\n{yaml.safe_dump(about, sort_keys=False)}---\n# A data set\n".encode()


def classes(*names: str) -> dict:
    """A class label as a card writes it."""
    return {"class_label": {"names": {str(number): name for number, name in enumerate(names)}}}
