"""An import's life."""

from __future__ import annotations

from enum import StrEnum


class RunState(StrEnum):
    """Where an import stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


TABLE = {
    (RunState.QUEUED, "begin"): RunState.RUNNING,
    (RunState.QUEUED, "fail"): RunState.FAILED,
    (RunState.RUNNING, "finish"): RunState.DONE,
    (RunState.RUNNING, "fail"): RunState.FAILED,
}
