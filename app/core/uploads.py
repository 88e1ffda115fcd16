"""A file as a request's body, raw or as the multipart field `file`: kept on disk, never whole in memory."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from flask import request

from app.core import settings
from app.core.errors import TooLarge, UnsupportedMediaType, invalid

CSV = "text/csv"
XML = "application/xml"
FIELD = "file"
_SPOKEN = {CSV: {CSV, "application/csv", "text/comma-separated-values"}, XML: {XML, "text/xml"}}
_CHUNK = 1 << 16
_KEPT = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """A received file, at its start. Its digest stands for it where two requests are compared."""

    file: BinaryIO
    size: int
    sha256: str

    def close(self) -> None:
        """Give the disk back."""
        self.file.close()


def receive(consumes: str) -> Upload:
    """Read the body to disk; `consumes` names what is read, several with commas. 413, 415 or 422 otherwise."""
    accepted = {kind.strip() for kind in consumes.split(",")}
    if request.mimetype == "multipart/form-data":
        sent = request.files.get(FIELD)
        if sent is None:
            raise invalid(f"/{FIELD}", "required")
        return _keep(iter(lambda: sent.stream.read(_CHUNK), b""))
    if not any(request.mimetype in _SPOKEN.get(kind, {kind}) for kind in accepted):
        raise UnsupportedMediaType(expected=", ".join(sorted({*accepted, "multipart/form-data"})))
    return _keep(iter(lambda: request.stream.read(_CHUNK), b""))


def _keep(pieces: Iterator[bytes]) -> Upload:
    file = cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=_KEPT))  # noqa: SIM115  closed by its Upload
    digest = hashlib.sha256()
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > settings.MAX_FILE_BYTES:
            file.close()
            raise TooLarge(limit=settings.MAX_FILE_BYTES)
        digest.update(piece)
        file.write(piece)
    file.seek(0)
    return Upload(file, size, digest.hexdigest())
