"""Japanese names of the demo's goods, from hand-made word tables."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_SKIPPED = {"OF", "WITH", "AND", "IN", "THE", "A", "FOR", "TO", "ON", "&", "+", "-", ",", "W"}
_COLORS = {
    "RED": "red", "PINK": "pink", "BLUE": "blue", "WHITE": "white", "BLACK": "black",
    "GREEN": "green", "IVORY": "ivory", "CREAM": "cream", "SILVER": "silver", "GOLD": "gold",
    "PURPLE": "purple", "YELLOW": "yellow", "BROWN": "brown", "GREY": "grey", "ORANGE": "orange",
    "LILAC": "lilac", "TURQUOISE": "turquoise", "MINT": "mint",
}  # fmt: skip
_GRAMS_PER_OZ = 28.35
_ML_PER_OZ = 29.57
_LIQUIDS = re.compile(r"JUICE|DRINK|DRNK|MILK|WATER|SOUP|OIL|BEER|WINE|DETERGENT|BLEACH|BEVERAGE|SHAMPOO")


@cache
def _table(name: str) -> dict[str, str]:
    with (_HERE / name).open(encoding="utf-8", newline="") as file:
        return {row[0]: row[1] for row in csv.reader(file, delimiter="\t") if row}


def category(name: str) -> str:
    """The Japanese name of a grocery category; KeyError when the table lacks it."""
    return _table("categories.tsv")[name]


def grocery_name(*, kind: str, product_type: str, size: str, own_brand: bool) -> str:
    """Category, the words of the type that we know, and the size."""
    known = _table("grocery_words.tsv")
    words: list[str] = []
    for word in re.split(r"[^A-Z0-9]+", product_type):
        translated = known.get(word)
        if translated and translated not in words and translated not in category(kind):
            words.append(translated)
    parts = ["自社" if own_brand else "", category(kind), *words[:4], size]
    return " ".join(part for part in parts if part)


def zakka_name(description: str) -> str:
    """A word-for-word Japanese name, or the English one when a word is unknown."""
    text, tail = description.upper().strip(" ."), ""
    count = re.match(r"(?:(SET|PACK|BOX)(?:/| OF )|S/)(\d+) (.+)", text)
    if count:
        text, tail = count[3], f" {count[2]}{'個入り' if count[1] == 'PACK' else '点セット'}"
    known = _table("zakka_words.tsv")
    words = [word.strip(".,") for word in text.split() if word not in _SKIPPED]
    if not words or not all(word in known or word.isdigit() for word in words):
        return english(description)
    return " ".join(known.get(word, word) for word in words) + tail


def english(text: str) -> str:
    """The source's capitals in a readable form."""
    words = [word if any(map(str.isdigit, word)) else word.capitalize() for word in text.split()]
    return " ".join(words)


def color(description: str) -> str:
    """The one colour that a description names, or nothing."""
    found = {_COLORS[word] for word in re.split(r"[^A-Z]+", description.upper()) if word in _COLORS}
    return found.pop() if len(found) == 1 else ""


def size(package_size: str, *, kind: str) -> str:
    """The package size in the units of a Japanese shelf label."""
    one = re.fullmatch(r"(?:(\d+) ?(?:PK)?/)?(\d*\.?\d+) (OZ|LB|CT|L|ML|GA|PT|QT)", package_size.strip())
    if one is None:
        return ""
    amount, unit = float(one[2]), one[3]
    text = _measure(amount, unit, liquid=bool(_LIQUIDS.search(kind)))
    return f"{text}×{one[1]}" if one[1] else text


def _measure(amount: float, unit: str, *, liquid: bool) -> str:
    if unit == "CT":
        return f"{amount:g}個"
    if unit == "L" or (unit == "ML" and amount < 1):
        return f"{amount:g}L"
    if unit == "LB" or (unit == "OZ" and not liquid):
        grams = amount * (_GRAMS_PER_OZ * 16 if unit == "LB" else _GRAMS_PER_OZ)
        return f"{round(grams, -1) / 1000:g}kg" if grams >= 1000 else f"{round(grams)}g"
    factor = {"OZ": _ML_PER_OZ, "ML": 1.0, "GA": 3785.0, "PT": 473.0, "QT": 946.0}[unit]
    return f"{round(amount * factor)}ml"
