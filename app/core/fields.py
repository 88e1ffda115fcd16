"""marshmallow fields with the contract's bounds. Messages are codes; words are made in `problems`."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Any, TypeVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from app.core import clock, settings
from app.core.ids import is_id

_CODE = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?")


class In(Schema):
    """A body: unknown fields are refused."""

    class Meta:
        """Strict."""

        unknown = RAISE

    error_messages = {"unknown": "unknown-field", "type": "not-object"}


class NoFields(In):
    """A body without fields: nothing, or an empty object."""


class Out(Schema):
    """An answer; what is not known is null."""

    def on_bind_field(self, field_name: str, field_obj: Any) -> None:
        """Say in the API's description that a field may be null."""
        field_obj.allow_none = True


_Moment = TypeVar("_Moment", bound=dt.date)
_COMMON = {"required": "required", "null": "null", "validator_failed": "not-allowed"}


class Integer(fields.Integer):
    """An integer with both bounds; no float, no text, no boolean."""

    default_error_messages = {**_COMMON, "invalid": "not-integer", "too_large": "out-of-range"}

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        kwargs.setdefault("validate", validate.Range(min=low, max=high, error="out-of-range"))
        super().__init__(strict=True, **kwargs)

    def _validated(self, value: Any) -> int:
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise self.make_error("invalid")
        return super()._validated(value)


class QueryInteger(fields.Integer):
    """An integer in a query string."""

    default_error_messages = {**_COMMON, "invalid": "not-integer", "too_large": "out-of-range"}

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        kwargs.setdefault("validate", validate.Range(min=low, max=high, error="out-of-range"))
        super().__init__(**kwargs)


def Yen(**kwargs: Any) -> Integer:  # noqa: N802  reads as a field
    """Money: whole yen from 0."""
    return Integer(0, settings.MAX_YEN, **kwargs)


def SignedYen(**kwargs: Any) -> Integer:  # noqa: N802
    """Money that may be negative."""
    return Integer(-settings.MAX_YEN, settings.MAX_YEN, **kwargs)


def Quantity(**kwargs: Any) -> Integer:  # noqa: N802
    """Pieces, at least one."""
    return Integer(1, settings.MAX_QUANTITY, **kwargs)


def SignedQuantity(**kwargs: Any) -> Integer:  # noqa: N802
    """Pieces in or out."""
    return Integer(-settings.MAX_QUANTITY, settings.MAX_QUANTITY, **kwargs)


class Text(fields.String):
    """Text without control characters, trimmed, with a length."""

    default_error_messages = {**_COMMON, "invalid": "not-text", "invalid_utf8": "not-text"}

    def __init__(self, high: int = settings.MAX_TEXT, low: int = 1, *, multiline: bool = False, **kwargs: Any) -> None:
        self.low, self.high, self.multiline = low, high, multiline
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        text = str(super()._deserialize(value, attr, data, **kwargs)).strip()
        kept = "\n\t\r" if self.multiline else ""
        if any(unicodedata.category(c) in {"Cc", "Cs"} and c not in kept for c in text):
            message = "characters"
            raise ValidationError(message)
        if not self.low <= len(text) <= self.high:
            message = "length"
            raise ValidationError(message)
        return text


class Code(Text):
    """A caller's code (SKU, location, external reference): 1–64 characters, no control characters or slash."""

    def __init__(self, high: int = settings.MAX_CODE, **kwargs: Any) -> None:
        super().__init__(high=high, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if "/" in text or text in {".", ".."}:
            message = "not-code"
            raise ValidationError(message)
        return text


class Identifier(fields.String):
    """A UUID of ours."""

    default_error_messages = {**_COMMON, "invalid": "not-id"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not is_id(text.lower()):
            raise self.make_error("invalid")
        return text.lower()


def _near(at: _Moment) -> _Moment:
    """A time that a shop can mean; the ends of the calendar only break arithmetic."""
    if not settings.FIRST_YEAR <= at.year <= settings.LAST_YEAR:
        message = "out-of-range"
        raise ValidationError(message)
    return at


class Instant(fields.Field[dt.datetime]):
    """RFC 3339 with an offset in; UTC with `Z` out."""

    default_error_messages = {**_COMMON, "invalid": "not-instant"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.datetime:
        if not isinstance(value, str) or len(value) > 40 or len(value) < 17 or value[10] not in "Tt ":
            raise self.make_error("invalid")
        try:
            at = dt.datetime.fromisoformat(value)
            if at.tzinfo is None:
                raise self.make_error("invalid")
            at = at.astimezone(dt.UTC)
        except (ValueError, OverflowError) as error:
            raise self.make_error("invalid") from error
        return _near(at)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return clock.public(clock.parse(value))


class Day(fields.Field[dt.date]):
    """A business date, `YYYY-MM-DD`."""

    default_error_messages = {**_COMMON, "invalid": "not-date"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.date:
        if not isinstance(value, str) or len(value) != 10:
            raise self.make_error("invalid")
        try:
            return _near(dt.date.fromisoformat(value))
        except ValueError as error:
            raise self.make_error("invalid") from error

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)[:10]


class Choice(fields.String):
    """One of a few words."""

    default_error_messages = {**_COMMON, "invalid": "not-text"}

    def __init__(self, *choices: str, **kwargs: Any) -> None:
        super().__init__(validate=validate.OneOf(choices, error="not-allowed"), **kwargs)


class Flag(fields.Boolean):
    """true or false, nothing else."""

    default_error_messages = {**_COMMON, "invalid": "not-boolean"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class QueryFlag(fields.Boolean):
    """1 or 0 in a query string; true and false do as well."""

    truthy = {"1", "true"}
    falsy = {"0", "false"}
    default_error_messages = {**_COMMON, "invalid": "not-boolean"}


class Number(fields.Float):
    """A coordinate or a distance; never money."""

    default_error_messages = {
        **_COMMON, "invalid": "not-number", "special": "not-number", "too_large": "out-of-range",
    }  # fmt: skip

    def __init__(self, low: float, high: float, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(min=low, max=high, error="out-of-range"), **kwargs)

    def _validated(self, value: Any) -> float:
        if isinstance(value, bool | str):
            raise self.make_error("invalid")
        return super()._validated(value)


class Items(fields.List[Any]):
    """A list with a bounded length."""

    default_error_messages = {**_COMMON, "invalid": "not-list"}

    def __init__(self, inner: Any, low: int = 0, high: int = settings.MAX_LINES, **kwargs: Any) -> None:
        super().__init__(inner, validate=validate.Length(min=low, max=high, error="length"), **kwargs)


class Part(fields.Nested):
    """An object inside an object."""

    default_error_messages = {**_COMMON, "type": "not-object"}


class Mapping(fields.Dict):
    """An object with free keys."""

    default_error_messages = {**_COMMON, "invalid": "not-object"}


class PageQuery(In):
    """What every list understands."""

    limit = QueryInteger(1, settings.MAX_PAGE, load_default=settings.DEFAULT_PAGE)
    cursor = Text(high=400)
    updated_since = Instant()
