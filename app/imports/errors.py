"""Refusals about imports."""

from __future__ import annotations

from app.core.errors import Invalid, NotFound


class UnknownImport(NotFound):
    """There is no such import within the caller's bounds."""

    code = "unknown-import"


class UnknownImportKind(NotFound):
    """Files of this kind are not imported here. Fact: `kinds`."""

    code = "unknown-import-kind"


class FileUnreadable(Invalid):
    """The file as a whole cannot be read."""

    code = "file-unreadable"

    def __init__(self, reason: str, column: str | None = None) -> None:
        super().__init__(errors=[{"pointer": "/file", "code": reason} | ({"column": column} if column else {})])
        self.reason = reason
        self.column = column
