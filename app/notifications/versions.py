"""Which words are in force: the product's own files, until the shop writes a version of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.core import actor, clock
from app.core.audit import COMPANY
from app.core.db import Again, db, use_case
from app.core.errors import Invalid, invalid
from app.core.ids import new_id

from .errors import UnknownNoticeKind
from .models import NoticeTemplate
from .samples import SAMPLES
from .templating import TemplateBroken, Words, check, render

LANGUAGES: Final = ("ja", "en")
_FOLDER: Final = Path(__file__).parent / "templates" / "notices"
_LINE: Final = "\n---\n"


@dataclass(frozen=True, slots=True)
class Version:
    """A template in force. Version 0 is the product's own."""

    kind: str
    language: str
    version: int
    words: Words


@lru_cache(maxsize=64)
def shipped(kind: str, language: str) -> Words:
    """The product's own words: a file of three parts, each after a line of dashes but the first."""
    subject, text, short = (_FOLDER / f"{kind}.{language}.txt").read_text("utf-8").split(_LINE)
    return Words(subject.strip(), text.strip(), short.strip())


def in_force(kind: str, language: str) -> Version:
    """The newest version. Raises UnknownNoticeKind."""
    _known(kind, language)
    row = db.session.scalars(
        select(NoticeTemplate)
        .where(NoticeTemplate.kind == kind, NoticeTemplate.language == language)
        .order_by(NoticeTemplate.version.desc())
        .limit(1)
    ).first()
    return _version(row) if row is not None else Version(kind, language, 0, shipped(kind, language))


def _version(row: NoticeTemplate) -> Version:
    return Version(row.kind, row.language, row.version, Words(row.subject, row.text, row.short))


def _known(kind: str, language: str) -> None:
    if kind not in SAMPLES or language not in LANGUAGES:
        raise UnknownNoticeKind(kind=kind[:64], language=language[:8])


def all_in_force() -> list[Version]:
    """Every kind in every language, by name."""
    newest = select(NoticeTemplate.kind, NoticeTemplate.language, func.max(NoticeTemplate.version).label("version"))
    top = newest.group_by(NoticeTemplate.kind, NoticeTemplate.language).subquery()
    rows = db.session.scalars(
        select(NoticeTemplate).join(
            top,
            (NoticeTemplate.kind == top.c.kind)
            & (NoticeTemplate.language == top.c.language)
            & (NoticeTemplate.version == top.c.version),
        )
    )
    own = {(row.kind, row.language): _version(row) for row in rows}
    return [
        own.get((kind, language)) or Version(kind, language, 0, shipped(kind, language))
        for kind in sorted(SAMPLES)
        for language in LANGUAGES
    ]


@use_case
def put(kind: str, language: str, words: Words) -> Version:
    """Let these words be in force from now on; the same words again are no new version.

    Raises UnknownNoticeKind, and Invalid where they cannot be read or use an unknown fact.
    """
    present = in_force(kind, language)
    if present.words == words:
        return present
    _refuse_broken(words, kind)
    db.session.add(
        NoticeTemplate(
            id=new_id(), location_id=COMPANY, kind=kind, language=language, version=present.version + 1,
            subject=words.subject, text=words.text, short=words.short, actor=_who(), created_at=clock.now(),
        )
    )  # fmt: skip
    try:
        db.session.flush()
    except IntegrityError as error:  # a rival wrote this version first: ours is the next
        raise Again from error
    return Version(kind, language, present.version + 1, words)


def _who() -> str:
    who = actor.current()
    return f"{who.kind}:{who.name}"


def preview(kind: str, language: str, *, subject: str | None, text: str | None, short: str | None) -> Words:
    """How a notice would read, with made-up facts; what is not given is taken from the version in force."""
    present = in_force(kind, language).words
    words = Words(subject or present.subject, text or present.text, short or present.short)
    _refuse_broken(words, kind)
    return render(words, SAMPLES[kind][0])


def _refuse_broken(words: Words, kind: str) -> None:
    try:
        check(words, SAMPLES[kind])
    except TemplateBroken as broken:
        raise _refusal(broken) from broken


def _refusal(broken: TemplateBroken) -> Invalid:
    return invalid(f"/{broken.part}", broken.code, word=broken.word)
