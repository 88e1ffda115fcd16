"""Writes docs/states/: a diagram and a table of every state machine, read from the running code.

``python -m scripts.states`` after a state table was changed; a test keeps the pages current.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from app.core import settings

Table = Mapping[tuple[StrEnum, str], StrEnum]
FOLDER = settings.ROOT / "docs" / "states"
HOMES = ("app", "bopis", "pos_bridge")

# What each page is called and says, by the table's place; a table that is missing here fails the build.
PAGES = {
    "bopis.states.PICKUP": ("pickup", "A pickup: the store's work item for an order or a hold."),
    "bopis.states.WAVE": ("wave", "A walk through the shelves for several pickups."),
    "bopis.states.WAIT": ("waiting", "A customer's place in a store's waiting list."),
    "bopis.states.RESHELVE": ("reshelve", "Picked goods that nobody collects, on their way back to the shelf."),
    "app.orders.states.ORDER": ("order", "An order of any channel."),
    "app.orders.states.PAYMENT": ("payment", "One tender of an order."),
    "app.orders.states.REFUND": ("refund", "Money on its way back."),
    "app.shipping.states.TASK": ("shipping", "The sending of an order."),
    "app.stock.states.TRANSFER": ("transfer", "Goods on their way between two places."),
    "app.stock.states.RECOUNT": ("recount", "A count that somebody owes, for the book is in doubt."),
    "app.notifications.states.NOTICE": ("notice", "Something to tell a customer: on its way, and what became of it."),
    "app.webhooks.states.ENDPOINT": ("webhook-endpoint", "An address of an EC site that hears of events."),
    "app.webhooks.states.DELIVERY": ("webhook-delivery", "The sending of one event to one endpoint."),
    "app.imports.states.TABLE": ("import", "A file being read in."),
    "pos_bridge.states.RECEIPT": ("receipt", "A till's receipt."),
    "pos_bridge.states.UNRESOLVED": ("unresolved", "A till's line with an unknown code."),
}
HEAD = """\
# {title}

{text} Written by `python -m scripts.states` from `{place}`; do not edit.

```mermaid
stateDiagram-v2
{arrows}
```

| state | actions |
|---|---|
{rows}
"""


def tables() -> dict[str, Table]:
    """Every state table of the product by its place."""
    return {place: table for module in _modules() for place, table in _tables_of(module)}


def _modules() -> Iterator[str]:
    for home in HOMES:
        for path in sorted((settings.ROOT / home).rglob("states.py")):
            module = ".".join(path.relative_to(settings.ROOT).with_suffix("").parts)
            if module != "app.core.states":
                yield module


def _tables_of(module: str) -> Iterator[tuple[str, Table]]:
    for name, value in vars(importlib.import_module(module)).items():
        if not name.startswith("_") and isinstance(value, Mapping) and all(isinstance(key, tuple) for key in value):
            yield f"{module}.{name}", value


def page(place: str, table: Table) -> str:
    """One page. Actions between the same two states share an arrow; the first state and unreached ones begin."""
    name, text = PAGES[place]
    kind = type(next(iter(table))[0])
    arrows: dict[tuple[StrEnum, StrEnum], list[str]] = {}
    for (before, action), after in table.items():
        arrows.setdefault((before, after), []).append(action)
    drawn = [f"    {before} --> {after}: {', '.join(actions)}" for (before, after), actions in arrows.items()]
    reached = {after for (before, _), after in table.items() if after != before}
    starts = [f"    [*] --> {state}" for state in kind if state == next(iter(kind)) or state not in reached]
    ends = [f"    {state} --> [*]" for state in kind if state not in {before for before, _ in table}]
    rows = [f"| `{state}` | {', '.join(f'`{a}` → {after}' for a, after in _from(table, state))} |" for state in kind]
    body = "\n".join([*starts, *drawn, *ends])
    return HEAD.format(title=name.capitalize(), text=text, place=place, arrows=body, rows="\n".join(rows))


def _from(table: Table, state: StrEnum) -> list[tuple[str, StrEnum]]:
    return sorted((action, after) for (before, action), after in table.items() if before == state)


def documents() -> dict[Path, str]:
    """Every page by its file."""
    return {FOLDER / f"{PAGES[place][0]}.md": page(place, table) for place, table in tables().items()}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(settings.ROOT)}\n")


if __name__ == "__main__":
    main()
