"""Refusals about what tills send. A sale that happened is never refused; a repeat that contradicts itself is."""

from __future__ import annotations

from app.core.errors import Conflict, NotFound


class ReceiptConflict(Conflict):
    """The same receipt and revision came before with other contents. Facts: `id`, `state`, `revision`."""

    code = "receipt-conflict"


class UnknownReceipt(NotFound):
    """There is no such receipt within the caller's bounds."""

    code = "unknown-receipt"


class UnknownUnresolved(NotFound):
    """There is no such line within the caller's bounds."""

    code = "unknown-unresolved"


class AlreadyResolved(Conflict):
    """The code was found to be another SKU before, or its receipt was taken back. Facts: `state`, `sku`."""

    code = "already-resolved"


class OrderNotOpen(Conflict):
    """The order that a till's sale pays has nothing left to hand over. Fact: `state`."""

    code = "order-not-open"
