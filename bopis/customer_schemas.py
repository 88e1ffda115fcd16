"""Bodies and answers of what a customer does with a pickup, by the channel's own hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, validates_schema

from app.core import ids, settings
from app.core.fields import In, Instant, Integer, Part, Text

from .proxies import ALL
from .schemas import ProxyOut, StorePickupOut

_NOTE_LENGTH = 200
_NAME_LENGTH = 100


class ArrivedIn(In):
    """Where the customer stands: a bay, a colour, whatever helps to find them."""

    note = Text(high=_NOTE_LENGTH)


class ProxyIn(In):
    """One of: somebody's name, how long a pass is lent, or what ends: a proxy's id, or `all`."""

    name = Text(high=_NAME_LENGTH)
    lend_minutes = Integer(settings.MIN_LEND_MINUTES, settings.MAX_LEND_MINUTES)
    remove = Text(high=settings.MAX_CODE)

    @validates_schema
    def _one(self, data: Mapping[str, Any], **_rest: object) -> None:
        if len(data) != 1:
            raise ValidationError("one-of-proxy")
        if "remove" in data and data["remove"] != ALL and not ids.is_id(data["remove"]):
            raise ValidationError("not-id-or-all", "remove")


class ExtendIn(In):
    """The store's new deadline; without one it is the customer's own extension."""

    until = Instant()


class RequestCancelIn(In):
    """Why, if the customer says so."""

    reason = Text(high=_NOTE_LENGTH)


class DeclineIn(In):
    """Why not."""

    reason = Text(high=_NOTE_LENGTH, required=True)


class MadeProxyOut(ProxyOut):
    """A proxy for whoever made it; a lent pass is shown by its token, its picture or its page."""

    token = Text(allow_none=True)
    qr_url = Text(allow_none=True)
    page_url = Text(allow_none=True)


class PickupWithProxyOut(StorePickupOut):
    """The pickup with the proxy that was made, null when one was taken back."""

    proxy = Part(MadeProxyOut, allow_none=True)
