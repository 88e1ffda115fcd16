"""How far a feed that is ordered by time may go without passing anything over.

A transaction that still runs may yet commit a row it dated before now, never before its own beginning. So a feed goes
no further than the beginning of the oldest of them. Asked for in a trip of its own, before the rows are read.
"""

from __future__ import annotations

import datetime as dt

from app.core import clock
from app.core.db import ask_one
from app.core.sql import Sql

# A vacuum and a dump run long and date no rows. SQLite has one writer at a time, so there nothing commits out of turn.
_SETTLED = Sql(
    "SELECT least(statement_timestamp(), min(xact_start)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' "
    "AND application_name <> 'pg_dump'",
    sqlite="SELECT NULL",
)


def settled() -> dt.datetime:
    """Everything dated before this moment is committed, or never will be."""
    at = clock.parse(ask_one(_SETTLED, {}).rows[0][0]) or clock.machine()
    still = clock.frozen()
    return at if still is None else still + dt.timedelta(microseconds=1)
