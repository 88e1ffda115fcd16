"""ORDERS: one order for all channels (EC order, mall order, till sale), its lines, payments and refunds.

Each unit's price, discounts and tax are frozen at sale (`pricing`), so that any order of partial cancels adds up. Goods
are claimed from `stock` in the order's transaction; how they reach the customer is a registered method (`fulfilment`).
Rooms above: `offer` a method; `lock`, then `record_fulfilment`, `reverse_fulfilment`, `cancel_parts`; a till's receipt
is `record_sale`, taken back by `reverse_sale`; one that pays a pickup is `settle_at_till`. Pieces that shall come
another way get it by `open_another`.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app.core import jobs, texts

from .ending import RefundDue
from .errors import TooManyPieces, UnknownLine, UnknownOrder
from .fulfilling import (
    LineSummary,
    Summary,
    cancel_parts,
    contact_of,
    due_at_counter,
    due_at_counters,
    lock,
    parts_of,
    record_fulfilment,
    reverse_fulfilment,
    summary,
    view,
    worth,
)
from .fulfilment import CounterLine, Held, Located, Method, Opening, OpenLine, Promise, offer
from .moving import open_another
from .paying import end_past_due
from .pricing import Priced, PricingError, RateTax
from .rescuing import Parcel, parcels, take_from_parcel, unpaid
from .sales import PostedSale, RecordedSale, SoldLine, Tender, price_sale, record_sale, reverse_sale
from .schemas import OrderCustomerIn, OrderOut
from .settling import RECEIPT, AtCounter, at_counter, settle_at_till, settle_hold
from .tax import Basis, TaxCategory, tax_rate
from .ways_schemas import Address

__all__ = [
    "RECEIPT",
    "Address",
    "AtCounter",
    "Basis",
    "CounterLine",
    "Held",
    "LineSummary",
    "Located",
    "Method",
    "OpenLine",
    "Opening",
    "OrderCustomerIn",
    "OrderOut",
    "Parcel",
    "PostedSale",
    "Priced",
    "PricingError",
    "Promise",
    "RateTax",
    "RecordedSale",
    "RefundDue",
    "SoldLine",
    "Summary",
    "TaxCategory",
    "Tender",
    "TooManyPieces",
    "UnknownLine",
    "UnknownOrder",
    "at_counter",
    "cancel_parts",
    "contact_of",
    "due_at_counter",
    "due_at_counters",
    "end_past_due",
    "lock",
    "offer",
    "open_another",
    "parcels",
    "parts_of",
    "price_sale",
    "record_fulfilment",
    "record_sale",
    "register",
    "reverse_fulfilment",
    "reverse_sale",
    "settle_at_till",
    "settle_hold",
    "summary",
    "take_from_parcel",
    "tax_rate",
    "unpaid",
    "view",
    "worth",
]


def register(app: Flask) -> None:
    """Serve orders, and end now and then what was not paid in time."""
    from . import api, checks, models, whose  # noqa: F401  tables, and whose events are whose

    texts.load(Path(__file__).parent)
    app.register_blueprint(api.bp)
    checks.register()
    jobs.every(60, "orders.past_due")(end_past_due)
