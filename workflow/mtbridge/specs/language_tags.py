"""The language tags of published translation models: a language's two letters -> the tag in the vocabulary."""

import re
from collections.abc import Mapping

# mBART-50 (Tang et al. 2020), in the order of its vocabulary, where the tags follow the sub-words.
_MBART50 = (
    *("ar_AR", "cs_CZ", "de_DE", "en_XX", "es_XX", "et_EE", "fi_FI", "fr_XX", "gu_IN", "hi_IN", "it_IT", "ja_XX"),
    *("kk_KZ", "ko_KR", "lt_LT", "lv_LV", "my_MM", "ne_NP", "nl_XX", "ro_RO", "ru_RU", "si_LK", "tr_TR", "vi_VN"),
    *("zh_CN", "af_ZA", "az_AZ", "bn_IN", "fa_IR", "he_IL", "hr_HR", "id_ID", "ka_GE", "km_KH", "mk_MK", "ml_IN"),
    *("mn_MN", "mr_IN", "pl_PL", "ps_AF", "pt_XX", "sv_SE", "sw_KE", "ta_IN", "te_IN", "th_TH", "tl_XX", "uk_UA"),
    *("ur_PK", "xh_ZA", "gl_ES", "sl_SI"),
)
MBART50 = {tag[:2]: tag for tag in _MBART50}

# NLLB-200 (NLLB Team 2022): three letters and the script. If a language has several tags, the one of XNLI and UD.
NLLB = {
    **{"af": "afr_Latn", "ar": "arb_Arab", "az": "azj_Latn", "be": "bel_Cyrl", "bg": "bul_Cyrl", "bn": "ben_Beng"},
    **{"ca": "cat_Latn", "cs": "ces_Latn", "cy": "cym_Latn", "da": "dan_Latn", "de": "deu_Latn", "el": "ell_Grek"},
    **{"en": "eng_Latn", "es": "spa_Latn", "et": "est_Latn", "eu": "eus_Latn", "fa": "pes_Arab", "fi": "fin_Latn"},
    **{"fr": "fra_Latn", "ga": "gle_Latn", "gl": "glg_Latn", "gu": "guj_Gujr", "he": "heb_Hebr", "hi": "hin_Deva"},
    **{"hr": "hrv_Latn", "hu": "hun_Latn", "hy": "hye_Armn", "id": "ind_Latn", "is": "isl_Latn", "it": "ita_Latn"},
    **{"ja": "jpn_Jpan", "ka": "kat_Geor", "kk": "kaz_Cyrl", "km": "khm_Khmr", "ko": "kor_Hang", "lt": "lit_Latn"},
    **{"lv": "lvs_Latn", "mk": "mkd_Cyrl", "ml": "mal_Mlym", "mn": "khk_Cyrl", "mr": "mar_Deva", "mt": "mlt_Latn"},
    **{"my": "mya_Mymr", "ne": "npi_Deva", "nl": "nld_Latn", "no": "nob_Latn", "pl": "pol_Latn", "ps": "pbt_Arab"},
    **{"pt": "por_Latn", "ro": "ron_Latn", "ru": "rus_Cyrl", "si": "sin_Sinh", "sk": "slk_Latn", "sl": "slv_Latn"},
    **{"sr": "srp_Cyrl", "sv": "swe_Latn", "sw": "swh_Latn", "ta": "tam_Taml", "te": "tel_Telu", "th": "tha_Thai"},
    **{"tl": "tgl_Latn", "tr": "tur_Latn", "uk": "ukr_Cyrl", "ur": "urd_Arab", "vi": "vie_Latn", "xh": "xho_Latn"},
    **{"zh": "zho_Hans"},
}


def tag_of(tags: Mapping[str, str], language: str) -> str | None:
    """The tag of a language, or None.

    A language may be called by its letters (`pt`), by the tag itself (`por_Latn`), by the tag's own letters (`por`), or
    with a region (`pt-BR`, which is Portuguese). With another script or in another region of Chinese, it has no tag.
    """
    if language in tags:
        return tags[language]
    by_letters = {tag.split("_")[0]: tag for tag in tags.values()}
    if language in tags.values() or language in by_letters:
        return language if language in tags.values() else by_letters[language]
    letters, _, region = language.replace("-", "_").partition("_")
    is_region = re.fullmatch(r"[A-Za-z]{2}|[0-9]{3}", region)
    return tag_of(tags, letters) if is_region and (letters != "zh" or region.upper() in ("CN", "SG")) else None
