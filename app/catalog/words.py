"""Finding words however they are typed: width, case and kind of kana do not matter."""

from __future__ import annotations

import unicodedata

_KATAKANA = {code: code + 0x60 for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)}


def fold(text: str) -> str:
    """The form in which texts are compared: narrow letters, lower case, katakana, single spaces."""
    wide = unicodedata.normalize("NFKC", text).casefold()
    # Some capitals fold into a letter with a loose mark: compose once more.
    return " ".join(unicodedata.normalize("NFKC", wide).translate(_KATAKANA).split())


def pattern(word: str) -> str:
    r"""A LIKE pattern that finds `word` anywhere; `\` escapes."""
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
