"""What can be promised, where: reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def at(location: str, channel: str, skus: Sequence[str]) -> dict[str, int]:
    """Available pieces at one location by SKU."""
    raise RuntimeError(location, channel, skus)


def alternatives(location: str, channel: str, wanted: Mapping[str, int]) -> list[dict[str, Any]]:
    """Other locations."""
    raise RuntimeError(location, channel, wanted)
