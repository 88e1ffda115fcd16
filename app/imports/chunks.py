"""A file kept in the database in pieces, written and read piece by piece."""

from __future__ import annotations

import io
from typing import Any, BinaryIO, cast

from app.core import vault
from app.core.audit import COMPANY
from app.core.db import ask_one
from app.core.ids import new_id
from app.core.sql import Sql

PIECE = 1 << 20
_PURPOSE = "import"
_ADD = Sql(
    "INSERT INTO import_chunk (id, location_id, run_id, number, data) "
    "VALUES (:id, :location_id, :run_id, :number, :data)"
)
_READ = Sql("SELECT data FROM import_chunk WHERE run_id = :run_id AND number = :number")
_DROP = Sql("DELETE FROM import_chunk WHERE run_id = :run_id")


def store(run_id: str, file: BinaryIO) -> None:
    """Write the file with this transaction, one piece in memory at a time."""
    number = 0
    while piece := file.read(PIECE):
        data = vault.seal(_PURPOSE, piece)
        ask_one(_ADD, {"id": new_id(), "location_id": COMPANY, "run_id": run_id, "number": number, "data": data})
        number += 1


def drop(run_id: str) -> None:
    """Delete the pieces."""
    ask_one(_DROP, {"run_id": run_id})


def reader(run_id: str, size: int) -> BinaryIO:
    """The stored file as a stream that can be rewound."""
    return cast("BinaryIO", io.BufferedReader(_Pieces(run_id, size), PIECE))


class _Pieces(io.RawIOBase):
    """Reads piece after piece; holds one."""

    def __init__(self, run_id: str, size: int) -> None:
        super().__init__()
        self._run_id = run_id
        self._size = size
        self._at = 0
        self._held: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._size:
            return 0
        number, within = divmod(self._at, PIECE)
        if self._held[0] != number:
            self._held = (number, self._fetch(number))
        part = self._held[1][within : within + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _fetch(self, number: int) -> bytes:
        rows = ask_one(_READ, {"run_id": self._run_id, "number": number}).rows
        if not rows:
            msg = "a piece of the stored file is missing"
            raise OSError(msg)
        return vault.unseal(_PURPOSE, rows[0][0])
