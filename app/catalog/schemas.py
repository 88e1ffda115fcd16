"""A SKU's body and answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields

from app.core import settings
from app.core.fields import Choice, Code, In, Instant, Items, Out, PageQuery, Part, Text, Yen

from .barcodes import BarcodeInvalid, check

MAX_BARCODES = 30
MAX_OPTIONS = 20
OPTION_NAME = 40
OPTION_VALUE = 100


class Barcode(Text):
    """A GS1 barcode with its check digit."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return check(text)
        except BarcodeInvalid as error:
            raise ValidationError(error.code) from error


class Address(Text):
    """A web address."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            parts = urlsplit(text)
        except ValueError as error:
            raise ValidationError("not-url") from error
        if parts.scheme not in {"http", "https"} or not parts.hostname or " " in text:
            raise ValidationError("not-url")
        return text


class Options(fields.Field[dict[str, str]]):
    """Short texts by name: colour, size."""

    default_error_messages = {"required": "required", "null": "null", "invalid": "not-object"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, str]:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        if len(value) > MAX_OPTIONS:
            raise ValidationError("length")
        name, text = Text(high=OPTION_NAME), Text(high=OPTION_VALUE)
        kept: dict[str, str] = {}
        faults: dict[str, Any] = {}
        for key, inner in value.items():
            try:
                kept[str(name.deserialize(key))] = str(text.deserialize(inner))
            except ValidationError as error:
                faults[key] = error.messages
        if faults:
            raise ValidationError(faults)
        return kept


class SkuIn(In):
    """All of a SKU but its code, which is in the address."""

    product = Code(required=True)
    name = Text(required=True)
    name_en = Text(load_default=None, allow_none=True)
    barcodes = Items(Barcode(high=20), high=MAX_BARCODES, load_default=list)
    tax_category = Choice("standard", "reduced", "exempt", required=True)
    list_price = Yen(required=True)
    options = Options(load_default=dict)
    image_url = Address(high=500, load_default=None, allow_none=True)


class SkuOut(Out):
    """A SKU."""

    sku = Code()
    product = Code()
    name = Text()
    name_en = Text(allow_none=True)
    barcodes = Items(Text(high=14), high=MAX_BARCODES)
    tax_category = Choice("standard", "reduced", "exempt")
    list_price = Yen()
    options = Options()
    image_url = Text(high=500, allow_none=True)
    updated_at = Instant()


class SkuPage(Out):
    """A page of SKUs."""

    items = Items(Part(SkuOut), high=settings.MAX_PAGE)
    next_cursor = Text(high=400, allow_none=True)


class SkuQuery(PageQuery):
    """By barcode, by words, by product."""

    barcode = Barcode(high=20)
    q = Text()
    product = Text(high=settings.MAX_CODE)
