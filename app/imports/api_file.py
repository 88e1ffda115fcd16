"""The refused rows as a download."""

from __future__ import annotations

from flask import Response, stream_with_context

from app.core import texts, uploads
from app.core.csvfile import encode_rows

from .models import ImportRun
from .queries import bad_rows


def errors_file(run: ImportRun) -> Response:
    """The refused rows of any import, to be mended and sent in again."""
    lines = encode_rows((texts.word("import-reason"), *run.header), bad_rows(run))
    name = f"errors-{run.id}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(stream_with_context(lines), content_type=f"{uploads.CSV}; charset=utf-8", headers=headers)
