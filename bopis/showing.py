"""What the customer's page says: words, times in the store's zone, items, the store. No HTML, no request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote
from zoneinfo import ZoneInfo

from app import catalog, orders, stores
from app.core import clock, texts
from app.core.texts import word

from . import asking, passes, pickups, qr, queries
from .models import Pickup, PickupLine, PickupPass
from .states import OVER, PickupState

_JA_DAYS = "月火水木金土日"
_EN_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EN_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STEPS = ("received", "preparing", "ready", "collected")
# Why a pickup ends although its goods still come: another way was chosen, or the order was changed.
MOVED = frozenset({"changed", "moved"})
_HOLD_HEADLINES = {"requested": "hold", "accepted": "hold", "cancelled": "hold-cancelled"}
_STEP_OF = {
    PickupState.REQUESTED: 0,
    PickupState.AWAITING_TRANSFER: 0,
    PickupState.ACCEPTED: 0,
    PickupState.PICKING: 1,
    PickupState.AWAITING_CUSTOMER: 1,
    PickupState.READY: 2,
    PickupState.COLLECTED: 3,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One of the four steps; `mark` is done, now or next."""

    label: str
    mark: str


@dataclass(frozen=True, slots=True)
class Item:
    """A line as the customer reads it."""

    name: str
    options: str
    quantity: str
    note: str


@dataclass(frozen=True, slots=True)
class Store:
    """Where to go."""

    name: str
    address: str
    hours: str
    phone: str | None
    map_url: str | None


@dataclass(frozen=True, slots=True)
class Showing:
    """The whole page. `qr`, `code` and `pin` are None once there is nothing to collect; a lent pass has a QR only."""

    state: str
    kind: str
    title: str
    headline: str
    message: str
    steps: Sequence[Step]
    code: str | None
    pin: str | None
    qr: str | None
    deadline: str | None
    due: str | None
    number: str | None
    receipt_at: str | None
    items: Sequence[Item]
    store: Store


def of(row: Pickup, lent: PickupPass | None = None) -> Showing:
    """The page of a pickup as it stands now; a lent pass opens one with just what its bearer needs."""
    place = stores.get(row.location_id)
    zone = place.calendar.zone
    state = row.state_at(clock.now())
    alive = state not in OVER
    known: passes.Ticket = passes.of(row) if lent is None else passes.Ticket(passes.lent_token(lent.id))
    ended_by = "hold" if row.kind == "hold" else "order"
    amount = queries.amount_due(row)
    return Showing(
        state=state.value,
        kind=row.kind,
        title=word("pickup-title"),
        headline=word(f"pickup-headline-{_headline(row, state)}"),
        message=_message(row, state, zone, ended_by, is_asked=lent is None and asking.is_asked(row)),
        steps=_steps(state),
        code=known.code if alive and isinstance(known, passes.Pass) else None,
        pin=known.pin if alive and isinstance(known, passes.Pass) else None,
        qr=qr.svg(known.qr_text, word("pickup-qr-title")) if alive else None,
        deadline=_deadline(row, state, zone, lent),
        due=word("pickup-yen", amount=f"{amount:,}") if alive and amount else None,
        number=row.order_number if lent is None else None,
        receipt_at=when(row.collected_at, zone) if row.collected_at is not None else None,
        items=_items(pickups.lines_of(row), state),
        store=store_of(place),
    )


def when(at: dt.datetime, zone: ZoneInfo) -> str:
    """A moment on the store's wall clock: 11月29日（日）21:00."""
    local = at.astimezone(zone)
    time = f"{local:%H:%M}"
    if texts.language() == "ja":
        return f"{local.month}月{local.day}日（{_JA_DAYS[local.weekday()]}）{time}"
    return f"{_EN_DAYS[local.weekday()]}, {_EN_MONTHS[local.month - 1]} {local.day}, {time}"


def _headline(row: Pickup, state: PickupState) -> str:
    """The situation; a hold is no order, and is not spoken of as one."""
    situation = _situation(row, state)
    return _HOLD_HEADLINES.get(situation, situation) if row.order_id is None else situation


def _situation(row: Pickup, state: PickupState) -> str:
    """The state, or `moved`: this pickup is over because its goods come another way."""
    return "moved" if state == PickupState.CANCELLED and row.reason in MOVED else state.value


def _message(row: Pickup, state: PickupState, zone: ZoneInfo, ended_by: str, *, is_asked: bool) -> str:
    if _situation(row, state) == "moved":
        return word("pickup-message-moved")
    if is_asked and state not in OVER:
        return word(f"pickup-question-{row.choice_reason}")
    if state in {PickupState.CANCELLED, PickupState.EXPIRED}:
        free = row.order_id is not None and not _has_paid(row.order_id)
        return word(f"pickup-message-{state.value}-{'free' if free else ended_by}")
    if state in {PickupState.READY, PickupState.COLLECTED}:
        return word(f"pickup-message-{state.value}")
    if row.ready_by is None:
        return word("pickup-message-wait")
    if row.ready_by <= clock.now():
        return word("pickup-message-late")
    parts = [word("pickup-message-wait-until", at=when(row.ready_by, zone)), word("pickup-message-wait")]
    return ("" if texts.language() == "ja" else " ").join(parts)


def _has_paid(order_id: str) -> bool:
    """Whether money was really taken: what was only authorised is never charged, and so never refunded."""
    return any(payment["captured"] for payment in orders.view(order_id)["payments"])


def _deadline(row: Pickup, state: PickupState, zone: ZoneInfo, lent: PickupPass | None) -> str | None:
    """The deadline that counts now: of the goods, else of the hold itself; of a lent pass if that is sooner."""
    ends = [row.expires_at or row.hold_until, lent.expires_at if lent is not None else None]
    known = [at for at in ends if at is not None]
    return when(min(known), zone) if known and state not in OVER else None


def _steps(state: PickupState) -> list[Step]:
    here = _STEP_OF.get(state)
    if here is None:
        return []
    last = len(_STEPS) - 1
    marks = ["done" if n < here or here == last else "now" if n == here else "next" for n in range(last + 1)]
    return [Step(word(f"pickup-step-{name}"), mark) for name, mark in zip(_STEPS, marks, strict=True)]


def _items(lines: Sequence[PickupLine], state: PickupState) -> list[Item]:
    facts = catalog.get([line.sku for line in lines])
    shown = []
    for line in lines:
        sku = facts.get(line.sku)
        notes = []
        if line.short:
            notes.append(word("pickup-item-short", count=line.short))
        if line.collected and state != PickupState.COLLECTED:
            notes.append(word("pickup-item-collected", count=line.collected))
        pieces = line.collected if state == PickupState.COLLECTED else line.ordered - line.short
        if not (pieces or line.short):
            continue  # what comes another way is not this pickup's any more
        shown.append(
            Item(
                name=name_of(line, sku),
                options=options_of(sku),
                quantity=word("pickup-pieces", count=pieces),
                note="・".join(notes) if texts.language() == "ja" else ", ".join(notes),
            )
        )
    return shown


def name_of(line: PickupLine, sku: catalog.SkuFacts | None) -> str:
    """What the goods are called in the reader's language."""
    return sku.name_en if sku is not None and sku.name_en and texts.language() == "en" else line.name


def options_of(sku: catalog.SkuFacts | None) -> str:
    """Colour, size and the like."""
    return " / ".join(sku.options.values()) if sku is not None else ""


def store_of(place: stores.Place) -> Store:
    """The place as its customers find it, with today's hours."""
    english = texts.language() == "en" and place.name_en
    spans = place.calendar.opening_on(stores.business_date(place, clock.now()))
    zone = place.calendar.zone
    hours = ", ".join(f"{opens.astimezone(zone):%H:%M}–{closes.astimezone(zone):%H:%M}" for opens, closes in spans)
    point = place.point
    return Store(
        name=(place.name_en or place.name) if english else place.name,
        address=" ".join(
            part for part in (f"〒{place.postal_code}" if place.postal_code else "", place.address) if part
        ),
        hours=hours or word("pickup-closed-today"),
        phone=place.phone,
        map_url=(
            f"https://www.google.com/maps/search/?api=1&query={quote(f'{point[0]},{point[1]}', safe=',')}"
            if point is not None
            else None
        ),
    )


def usual_hours(place: stores.Place) -> str:
    """The week's hours on one line: 月〜金 10:00〜21:00、土・日 10:00〜20:00; without days where all are the same."""
    japanese = texts.language() == "ja"
    names = _JA_DAYS if japanese else _EN_DAYS
    parts = []
    for spans, group in groupby(range(len(names)), key=lambda day: place.hours.weekly[day]):
        days = list(group)
        if len(days) == len(names):
            label = ""
        elif len(days) <= 2:
            label = ("・" if japanese else ", ").join(names[day] for day in days)
        else:
            label = f"{names[days[0]]}{'〜' if japanese else '–'}{names[days[-1]]}"
        opened = ", ".join(
            f"{_wall(span.opens)}{'〜' if japanese else '–'}{_wall(span.closes)}" for span in spans
        ) or word("pickup-closed-day")
        parts.append(f"{label} {opened}".strip())
    return ("、" if japanese else "; ").join(parts)


def _wall(minutes: int) -> str:
    """Minutes of the day as the wall clock has them; the small hours as Japanese shops write them (25:00)."""
    return f"{minutes // 60:02}:{minutes % 60:02}"
