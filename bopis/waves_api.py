"""HTTP for waves: picking several pickups in one walk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from app import catalog, stores
from app.core import paging
from app.core.errors import Invalid
from app.core.http import Api, about
from app.core.states import IllegalTransition

from . import errors, items, pickups, waves, waves_schemas
from .models import PickingWave
from .states import PickupState

bp = Api("waves", __name__)
_READ, _WRITE = "pickups:read", "pickups:write"


@bp.operation("GET", "/waves", scope=_READ, query=waves_schemas.WaveQuery, reply=waves_schemas.WavePageOut)
def list_waves(query: dict[str, Any]) -> dict[str, Any]:
    """Waves by place and state."""
    wanted = waves.within(select(PickingWave))
    if query.get("location"):
        wanted = wanted.where(PickingWave.location_id == query["location"])
    if query.get("state"):
        wanted = wanted.where(PickingWave.state == query["state"])
    found = paging.page(wanted, PickingWave, query)
    return {"items": _views(found["items"]), "next_cursor": found["next_cursor"]}


@bp.operation("GET", "/waves/<wave_id>", scope=_READ, reply=waves_schemas.WaveOut, problems=[errors.UnknownWave])
def get_wave(wave_id: str) -> dict[str, Any]:
    """One wave: its pickups, and what is still to be taken from which shelf."""
    return _views([waves.get(wave_id)])[0]


@bp.operation(
    "POST",
    "/waves",
    scope=_WRITE,
    body=waves_schemas.WaveIn,
    reply=waves_schemas.WaveOut,
    status=201,
    key="required",
    problems=[
        stores.UnknownLocation, errors.UnknownPickup, IllegalTransition, errors.InAnotherWave, errors.NothingToPick,
        Invalid,
    ],
    example={"location": "shibuya", "limit": 8},
)  # fmt: skip
def open_wave(body: dict[str, Any]) -> dict[str, Any]:
    """Accept and start several pickups to pick them in one walk: the named ones, or the most urgent."""
    wave = waves.open_wave(location=body["location"], pickup_ids=body.get("pickups"), limit=body.get("limit"))
    return _done(wave)


@bp.operation(
    "POST",
    "/waves/<wave_id>/pick",
    scope=_WRITE,
    body=waves_schemas.WavePickIn,
    reply=waves_schemas.WavePickOut,
    key="required",
    problems=[
        errors.UnknownWave, errors.UnknownPickup, errors.WrongItem, errors.PickedTooMany, IllegalTransition,
    ],
    example={"barcode": "4901234567894", "quantity": 1},
)  # fmt: skip
def pick_for_wave(body: dict[str, Any], wave_id: str) -> dict[str, Any]:
    """Pieces were taken from the shelf; the answer says into which totes they go, the most urgent first."""
    item = items.Item(quantity=body["quantity"], sku=body.get("sku"), barcode=body.get("barcode"))
    wave, portions = waves.pick(wave_id=wave_id, item=item, pickup_id=body.get("pickup"))
    return {
        "sku": portions[0].line.sku, "name": portions[0].line.name, "wave": _done(wave),
        "pickups": [
            _portion(one.pickup.id, one.pickup.code, one.line.line_ref, one.quantity, one.tote) for one in portions
        ],
    }  # fmt: skip


@bp.operation(
    "POST",
    "/waves/<wave_id>/finish",
    scope=_WRITE,
    reply=waves_schemas.WaveOut,
    key="required",
    problems=[errors.UnknownWave, IllegalTransition],
)
def finish_wave(wave_id: str) -> dict[str, Any]:
    """The walk is over; what is still open stays with its pickups."""
    return _done(waves.finish(wave_id=wave_id))


def _done(wave: PickingWave) -> dict[str, Any]:
    about("picking_wave", wave.id, wave.location_id)
    return _views([wave])[0]


def _views(found: Sequence[PickingWave]) -> list[dict[str, Any]]:
    ids = [wave.id for wave in found]
    rows, totes = waves.members(ids), waves.totes_of(ids)
    lines = pickups.lines_of_all([row.id for row in rows])
    picks: dict[str, dict[str, list[dict[str, Any]]]] = {wave_id: defaultdict(list) for wave_id in ids}
    names: dict[str, str] = {}
    for row in rows:
        for line in lines.get(row.id, []):
            if row.state == PickupState.PICKING and line.open and row.wave_id is not None:
                names[line.sku] = line.name
                wanted = _portion(row.id, row.code, line.line_ref, line.open, totes[row.id])
                picks[row.wave_id][line.sku].append(wanted)
    barcodes = catalog.barcodes_of(names)
    return [
        {
            "id": wave.id, "location": wave.location_id, "state": wave.state, "version": wave.version,
            "created_at": wave.created_at, "updated_at": wave.updated_at,
            "pickups": [
                {
                    "id": row.id, "code": row.code, "order_number": row.order_number, "state": row.state,
                    "ready_by": row.ready_by, "tote": totes[row.id],
                }
                for row in rows
                if row.wave_id == wave.id
            ],
            "picks": [
                {
                    "shelf": shelf, "sku": sku, "name": names[sku], "barcodes": barcodes[sku],
                    "quantity": sum(one["quantity"] for one in picks[wave.id][sku]), "pickups": picks[wave.id][sku],
                }
                for sku, shelf in waves.shelf_order(wave.location_id, list(picks[wave.id]))
            ],
        }
        for wave in found
    ]  # fmt: skip


def _portion(pickup_id: str, code: str, line_ref: str, quantity: int, tote: int) -> dict[str, Any]:
    return {"id": pickup_id, "code": code, "line_ref": line_ref, "quantity": quantity, "tote": tote}
