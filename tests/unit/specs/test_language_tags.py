"""A language finds its tag by any of the codes that files use for it, and no other language's."""

import pytest

from mtbridge.specs.language_tags import MBART50, NLLB, tag_of


@pytest.mark.parametrize(
    ("language", "mbart", "nllb"),
    [
        ("pt", "pt_XX", "por_Latn"),
        ("pt_BR", "pt_XX", "por_Latn"),
        ("pt-BR", "pt_XX", "por_Latn"),
        ("por_Latn", None, "por_Latn"),
        ("por", None, "por_Latn"),
        ("en_XX", "en_XX", "eng_Latn"),
        ("zh-CN", "zh_CN", "zho_Hans"),
        ("zh-TW", None, None),
        ("zh-Hant", None, None),
        ("sr_Latn", None, None),
        ("yor", None, None),
        ("es-419", "es_XX", "spa_Latn"),
    ],
)
def test_a_code_finds_the_tag_of_its_language(language, mbart, nllb):
    assert (tag_of(MBART50, language), tag_of(NLLB, language)) == (mbart, nllb)
