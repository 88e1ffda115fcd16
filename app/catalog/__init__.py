"""Products, SKUs, barcodes and prices.

Front door: `require` refuses unknown SKUs, `get` gives facts by SKU, `by_barcode` finds SKUs by what was scanned and
`barcodes_of` the other way round; `scan_call` and `scans_of` do both in the caller's own trip.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app import imports
from app.core import texts

from .errors import BarcodeTaken, UnknownSku
from .lookup import SkuFacts, by_barcode, forget, get, require
from .scanning import Scanned, Scans, scan_call, scans_of
from .skus import barcodes_of

__all__ = [
    "BarcodeTaken",
    "Scanned",
    "Scans",
    "SkuFacts",
    "UnknownSku",
    "barcodes_of",
    "by_barcode",
    "forget",
    "get",
    "register",
    "require",
    "scan_call",
    "scans_of",
]


def register(app: Flask) -> None:
    """Serve SKUs."""
    from . import api, models, sheet  # noqa: F401  tables

    texts.load(Path(__file__).parent)
    app.register_blueprint(api.bp)
    imports.offer("skus", sheet.COLUMNS, sheet.apply, prepare=sheet.prepare, blame={BarcodeTaken.code: "barcodes"})
    forget()
