"""What the shipping calls read."""

from __future__ import annotations

from app.core.fields import Code, In, Items, Part, Quantity


class ParcelLineIn(In):
    """Some pieces of a line."""

    line_ref = Code(required=True)
    quantity = Quantity(required=True)


class ShipIn(In):
    """A parcel; everything that is open without `lines`."""

    lines = Items(Part(ParcelLineIn), low=1)
    carrier = Code(high=40)
    tracking_no = Code()
