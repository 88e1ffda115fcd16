"""One crowd of processes for the session: an interpreter takes longer to start than a race to run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.concurrency.crowd import Crowd


@pytest.fixture(scope="session")
def crowd() -> Iterator[Crowd]:
    made = Crowd()
    yield made
    made.close()
