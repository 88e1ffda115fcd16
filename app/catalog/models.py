"""SKUs and their barcodes. `code` is the caller's string and never changes."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

SEARCH_LENGTH = 1_500


class Sku(Base):
    """One thing that is counted and sold: a product in one colour and size."""

    __tablename__ = "sku"
    __table_args__ = (Index("ix_sku_updated", "updated_at", "code"), Index("ix_sku_product", "product"))
    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    product: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str | None] = mapped_column(String(200))
    search: Mapped[str] = mapped_column(String(SEARCH_LENGTH))
    tax_category: Mapped[str] = mapped_column(String(10))
    list_price: Mapped[int]
    options: Mapped[dict[str, Any]]
    image_url: Mapped[str | None] = mapped_column(String(500))
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class SkuBarcode(Base):
    """A barcode of a SKU: `gtin` is its 14-digit form for matching, `code` the text as given."""

    __tablename__ = "sku_barcode"
    gtin: Mapped[str] = mapped_column(String(14), primary_key=True)
    code: Mapped[str] = mapped_column(String(14))
    place: Mapped[int]
    sku: Mapped[str] = mapped_column(String(64), ForeignKey("sku.code"), index=True)
