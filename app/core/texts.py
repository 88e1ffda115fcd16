"""Words for people, in Japanese and English, from the `texts.toml` beside each feature.

`[errors.<code>]` has `ja` and `en`, and `ja_detail`/`en_detail` where the facts are worth a sentence; `[fields.<code>]`
the faults of a field; `[words.<name>]` what pages say. The language follows Accept-Language or the page's own choice.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from flask import g, has_request_context, request

LANGUAGES = ("ja", "en")


class TextTaken(RuntimeError):
    """Two features give one code different words: the second would silently replace the first."""


Entry = dict[str, str]
_tables: dict[str, dict[str, Entry]] = {"errors": {}, "fields": {}, "words": {}}
_spoken: ContextVar[str | None] = ContextVar("spoken", default=None)


def load(folder: Path) -> None:
    """Read the `texts.toml` of a feature's folder. Raises TextTaken where another feature gave a code other words."""
    for table, entries in tomllib.loads((folder / "texts.toml").read_text("utf-8")).items():
        known = _tables[table]
        for code, words in entries.items():
            if known.setdefault(code, words) != words:
                raise TextTaken(f"{folder.name}: {table}.{code}")


def entries(table: str) -> dict[str, Entry]:
    """A whole table; tests check that it is complete."""
    return dict(_tables[table])


def language() -> str:
    """The language of this letter or request: the page's own choice, else Accept-Language, else Japanese."""
    spoken = _spoken.get()
    if spoken in LANGUAGES:
        return str(spoken)
    if not has_request_context():
        return "ja"
    chosen = g.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES) or "ja"


def choose(lang: str) -> None:
    """Let this request speak `lang`."""
    g.language = lang


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Speak `lang` within this block, whatever the request's language is: a letter has its reader's own."""
    token = _spoken.set(lang)
    try:
        yield
    finally:
        _spoken.reset(token)


def say(table: str, code: str, suffix: str = "", /, **facts: object) -> str:
    """The text of `code` in the request's language, facts filled in; the code itself where there is none."""
    entry = _tables[table].get(code, {})
    lang = language()
    found = entry.get(lang + suffix)
    if found is None:
        return "" if suffix else code
    said = {name: ", ".join(map(str, fact)) if isinstance(fact, list) else fact for name, fact in facts.items()}
    try:
        return found.format(**said)
    except (KeyError, IndexError):
        return found


def word(code: str, /, **facts: object) -> str:
    """A page's word or sentence."""
    return say("words", code, "", **facts)
