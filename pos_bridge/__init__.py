"""What the tills did: sales, returns and voids, which have happened and are never refused for stock.

One call per sale, batches, and files in the vendors' formats all end in `receipts.receive`: known by a natural key,
kept as sent, posted to orders and ledger in the same transaction, or parked with the reason. There is no other door.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app.core import texts

__all__ = ["register"]


def register(app: Flask) -> None:
    """Serve the tills, and read their files."""
    from . import api, files, models  # noqa: F401  tables

    texts.load(Path(__file__).parent)
    app.register_blueprint(api.bp)
    files.offer_kinds()
