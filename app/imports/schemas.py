"""What an import answers."""

from __future__ import annotations

from app.core import settings
from app.core.fields import Choice, Flag, Identifier, In, Instant, Integer, Items, Out, Part, QueryFlag, Text

_ROWS = 1_000_000_000


class ImportQuery(In):
    """`dry_run=1` looks at every row and changes nothing."""

    dry_run = QueryFlag(load_default=False)


class StartedOut(Out):
    """An import that waits for its turn."""

    id = Identifier()
    state = Choice("queued", "running", "done", "failed")


class ImportErrorOut(Out):
    """A fault: the row as a spreadsheet numbers it (the header is 1), none for the file as a whole."""

    row = Integer(1, _ROWS, allow_none=True)
    column = Text(allow_none=True)
    code = Text()
    message = Text(high=500)


class ReportOut(Out):
    """How an import went so far. `rows_done` went in, `rows_changed` of them changed something."""

    id = Identifier()
    kind = Text()
    state = Choice("queued", "running", "done", "failed")
    dry_run = Flag()
    rows_total = Integer(0, _ROWS, allow_none=True)
    rows_done = Integer(0, _ROWS)
    rows_failed = Integer(0, _ROWS)
    rows_changed = Integer(0, _ROWS)
    columns_ignored = Items(Text(), high=_ROWS)
    errors = Items(Part(ImportErrorOut), high=settings.MAX_IMPORT_ERRORS_SHOWN)
    created_at = Instant()
    finished_at = Instant(allow_none=True)
