"""Files: what the package brings along."""

import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import package_data


def test_every_scalar_of_a_packages_file_is_text(tmp_path):
    (tmp_path / "words.yaml").write_text("nein: no\nNO: 1\nlist: [yes, 2.5, null]\n", "utf-8")
    module = str(tmp_path / "module.py")
    assert package_data(module, "words.yaml") == {"nein": "no", "NO": "1", "list": ["yes", "2.5", "null"]}


def test_a_missing_file_of_the_package_is_named(tmp_path):
    with pytest.raises(MtbridgeError, match=r"absent.yaml: cannot be read .*; install the package again"):
        package_data(str(tmp_path / "module.py"), "absent.yaml")
