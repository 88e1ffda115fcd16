"""Imports over HTTP."""

from __future__ import annotations

from typing import Any

from flask import Response

from app.core import http, uploads
from app.core.http import Api
from app.core.uploads import Upload

from .api_file import errors_file
from .errors import FileUnreadable, UnknownImport, UnknownImportKind
from .models import ImportRun
from .queries import find, report
from .runs import start
from .schemas import ImportQuery, ReportOut, StartedOut

# One address has one name in the description: the key is a kind to hand a file to, or an id to ask for.
bp = Api("imports", __name__)


@bp.operation(
    "POST", "/imports/<key>", scope="catalog:write", consumes=uploads.CSV, query=ImportQuery, reply=StartedOut,
    status=202, problems=[UnknownImportKind, FileUnreadable],
)  # fmt: skip
def start_import(upload: Upload, query: dict[str, Any], key: str) -> ImportRun:
    """Hand in a CSV file; rows that are right go in, the others are listed."""
    run = start(kind=key, upload=upload, dry_run=query["dry_run"], public=True)
    http.about("import_run", run.id)
    return run


@bp.operation("GET", "/imports/<key>", scope="catalog:write", reply=ReportOut, problems=[UnknownImport])
def get_import(key: str) -> dict[str, Any]:
    """How an import went so far."""
    return report(find(key))


@bp.operation(
    "GET", "/imports/<key>/errors", scope="catalog:write", produces=uploads.CSV, problems=[UnknownImport]
)  # fmt: skip
def get_import_errors(key: str) -> Response:
    """The refused rows as a CSV file with a reason before each."""
    return errors_file(find(key))
