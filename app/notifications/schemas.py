"""What the calls about notices read and answer."""

from __future__ import annotations

from app.core import settings
from app.core.fields import Choice, Code, Identifier, In, Instant, Integer, Items, Out, PageQuery, Part, Text

from .states import NoticeState
from .versions import LANGUAGES

_SUBJECT = settings.MAX_TEXT
_TEXT = settings.MAX_NOTICE_TEXT
_SHORT = settings.MAX_NOTICE_SHORT
_COUNT = settings.MAX_REVISION


class NoticeQuery(PageQuery):
    """Which notices: of one subject (a pickup's id), in one state, of one store."""

    subject = Code()
    state = Choice(*NoticeState)
    location = Code()


class SubjectOut(Out):
    """What a notice is about."""

    type = Text()
    id = Text()


class NoticeOut(Out):
    """A notice, without what it says."""

    id = Identifier()
    kind = Text()
    subject = Part(SubjectOut)
    sequence = Integer(0, settings.MAX_LEVEL)
    location = Text()
    state = Choice(*NoticeState)
    channel = Text()
    error = Text()
    language = Text()
    template_version = Integer(0, _COUNT)
    planned_at = Instant()
    due_at = Instant()
    sent_at = Instant()
    created_at = Instant()
    updated_at = Instant()
    actions = Items(Text())


class AttemptOut(Out):
    """One attempt by one channel."""

    channel = Text()
    state = Text()
    code = Text()
    provider_id = Text()
    at = Instant()
    delivered_at = Instant()


class NoticeDetailOut(NoticeOut):
    """A notice with every attempt, the oldest first."""

    attempts = Items(Part(AttemptOut))


class NoticePage(Out):
    """A list of notices."""

    items = Items(Part(NoticeOut))
    next_cursor = Text(high=400)


class TemplateIn(In):
    """The words of a notice."""

    subject = Text(high=_SUBJECT, required=True)
    text = Text(high=_TEXT, multiline=True, required=True)
    short = Text(high=_SHORT, multiline=True, required=True)


class TemplateOut(Out):
    """The words in force; version 0 is the product's own."""

    kind = Text()
    language = Choice(*LANGUAGES)
    version = Integer(0, _COUNT)
    subject = Text(high=_SUBJECT)
    text = Text(high=_TEXT)
    short = Text(high=_SHORT)


class TemplateList(Out):
    """Every kind in every language."""

    items = Items(Part(TemplateOut))


class PreviewIn(In):
    """Words to try; what is not given is taken from the version in force."""

    kind = Code(required=True)
    language = Choice(*LANGUAGES, required=True)
    subject = Text(high=_SUBJECT)
    text = Text(high=_TEXT, multiline=True)
    short = Text(high=_SHORT, multiline=True)


class PreviewOut(Out):
    """How it would read, with made-up facts."""

    subject = Text(high=settings.MAX_BODY_BYTES)
    text = Text(high=settings.MAX_BODY_BYTES)
    short = Text(high=settings.MAX_BODY_BYTES)
