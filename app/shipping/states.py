"""The life of an order's sending. `docs/states` is drawn from this table."""

from __future__ import annotations

from enum import StrEnum


class TaskState(StrEnum):
    """Where the sending of an order stands."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


TASK = {
    (TaskState.OPEN, "finish"): TaskState.DONE,
    (TaskState.OPEN, "cancel"): TaskState.CANCELLED,
}
