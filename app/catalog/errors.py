"""Refusals about SKUs."""

from __future__ import annotations

from app.core.errors import Conflict, NotFound


class UnknownSku(NotFound):
    """There is no such SKU. Fact: `skus`, all that are unknown."""

    code = "unknown-sku"


class BarcodeTaken(Conflict):
    """Another SKU has this barcode. Facts: `barcode`, `sku`."""

    code = "barcode-taken"
