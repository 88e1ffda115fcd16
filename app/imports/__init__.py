"""Files on their way in: stored in pieces, put in row by row in the background, with a report.

Front door: a feature calls `offer` for a kind of CSV at `POST /imports/{kind}`, or `read_with` for files of another
form, which it takes at an address of its own and hands to `start`; `find`, `report` and `errors_file` tell how it went.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app.core import jobs as core_jobs
from app.core import texts

from .api_file import errors_file
from .errors import FileUnreadable, UnknownImport, UnknownImportKind
from .kinds import ROW_ID, Fault, Record, Source, offer, read_with
from .queries import find, report
from .runs import start
from .schemas import ReportOut, StartedOut

__all__ = [
    "ROW_ID",
    "Fault",
    "FileUnreadable",
    "Record",
    "ReportOut",
    "Source",
    "StartedOut",
    "UnknownImport",
    "UnknownImportKind",
    "errors_file",
    "find",
    "offer",
    "read_with",
    "register",
    "report",
    "start",
]


def register(app: Flask) -> None:
    """Serve imports, and work on them."""
    from . import api, jobs, models  # noqa: F401  tables

    texts.load(Path(__file__).parent)
    app.register_blueprint(api.bp)
    core_jobs.every(3_600, "imports.forget")(jobs.forget_bad_rows)
