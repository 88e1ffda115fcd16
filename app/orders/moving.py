"""Pieces that shall reach the customer another way: another store, a parcel, a transfer. Claimed there first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app import customers, stock
from app.core import states
from app.core.db import use_case
from app.core.errors import invalid

from . import ending, fulfilment, queries, reckoning, works
from .models import SalesOrder
from .works import Parts


@use_case
def open_another(order_id: str, parts: Parts, wanted: Mapping[str, Any], *, leaving: str) -> str:
    """Claim these pieces (by line) for another fulfilment and open its work item; returns the work item's id.

    `wanted` is as in an order's `fulfilments`. The caller then lets its own work item, whose goods are at `leaving`,
    give the pieces up: their levels are locked here first, in the one order of all.
    Raises UnknownOrder, IllegalTransition, TooManyPieces, InsufficientStock, and what the method refuses.
    """
    order = queries.find(order_id, lock=True)
    ending.require_open(order, "change")
    rows = queries.lines_of(order.id)
    checked = ending.checked(rows, list(parts.items()))
    skus = reckoning.by_sku(rows, checked)
    asked = _with_address(order, wanted)
    method = fulfilment.method(asked["method"])
    located = method.locate(asked, skus, order.channel)
    stock.lock_levels(sorted({(place, sku) for place in (leaving, located.source_id) for sku in skus}))
    claim_id = works.claim(order, method=asked["method"], source=located.source_id, wanted=skus)
    way = works.add(
        order, method=asked["method"], located=located, claim_id=claim_id, pickup_at=asked.get("pickup_at"),
        position=len(works.of(order.id)) + 1,
    )  # fmt: skip
    works.open_work(order, way, rows, checked)
    states.touch(order, "order.changed", method=way.method, place=way.location_id)
    return way.work_id or ""


def _with_address(order: SalesOrder, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A parcel goes to the given address, else to the one that is known."""
    asked = dict(wanted)
    if asked["method"] != "ship":
        return asked
    known = customers.contact(order.contact_id)
    asked["address"] = asked.get("address") or known.address
    if not asked["address"]:
        raise invalid("/address", "required")
    if asked["address"] != known.address:
        facts = {**asdict(known), "address": asked["address"]}
        order.contact_id = customers.keep_contact(facts, customer_id=order.customer_id, contact_id=order.contact_id)
    return asked
