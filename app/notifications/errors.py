"""Refusals about notices."""

from __future__ import annotations

from app.core.errors import NotFound


class UnknownNotice(NotFound):
    """There is no such notice, or it is another store's."""

    code = "unknown-notice"


class UnknownNoticeKind(NotFound):
    """There is no notice of that kind, or none in that language."""

    code = "unknown-notice-kind"
