"""The kinds of notices, filled in by the rooms above: who composes one, and whether it may disturb the night."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .letters import Letter
from .samples import SAMPLES

Compose = Callable[[str], Letter | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of notice. `compose` reads what is true of a subject now; None: there is nothing to tell any more."""

    name: str
    compose: Compose
    urgent: bool


_offered: dict[str, Kind] = {}


def offer(kind: str, *, compose: Compose, urgent: bool = False) -> None:
    """Let a feature send notices of a kind. Called when the application is built; the kind needs its templates."""
    if kind not in SAMPLES:
        msg = f"{kind} has no templates"
        raise ValueError(msg)
    _offered[kind] = Kind(kind, compose, urgent)


def offered(kind: str) -> Kind | None:
    """The kind, if some feature offers it."""
    return _offered.get(kind)
