"""Places as a CSV file: columns, and what a cell means.

Hours are a column per weekday, `10:00-20:00`, or `10:00-14:00 15:00-20:00` with a pause; empty means closed. A column
that the file does not have leaves its field as it is.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from app.core import http
from app.core.csvfile import CellInvalid, Column, boolean, date, integer
from app.core.db import db
from app.core.errors import invalid

from .calendar import WEEKDAYS
from .locations import put_location
from .models import Location
from .queries import show
from .schemas import LocationIn

_DAY_NAMES = dict(zip((*WEEKDAYS, "holiday"), ("月", "火", "水", "木", "金", "土", "日", "祝"), strict=True))
COLUMNS = (
    Column("code", ("location", "店舗コード", "拠点コード", "コード"), required=True),
    Column("name", ("店舗名", "店名", "名称")),
    Column("name_en", ("店舗名(英語)", "英語名")),
    Column("kind", ("種別", "区分")),
    Column("timezone", ("タイムゾーン",)),
    Column("postal_code", ("郵便番号", "〒")),
    Column("address", ("住所", "所在地")),
    Column("latitude", ("緯度",)),
    Column("longitude", ("経度",)),
    Column("phone", ("電話番号", "電話", "TEL")),
    *(Column(f"hours.{day}", (f"{ja}", f"{ja}曜", f"{ja}曜日", f"{ja}日")) for day, ja in _DAY_NAMES.items()),
    Column("closures", ("休業日", "臨時休業日")),
    Column("pickup.enabled", ("店舗受取", "店頭受取")),
    Column("pickup.lead_minutes", ("準備時間(分)", "準備時間")),
    Column("pickup.hold_days", ("取置日数", "保管日数")),
    Column("pickup.orders_per_hour", ("1時間あたりの受付数",)),
    Column("pickup.cut_off", ("受付締切", "受付締切時刻")),
    Column("pickup.accept_minutes", ("受付期限(分)", "受付期限")),
    Column("pickup.reserve_days", ("取り置き日数(未払い)", "未払い取置日数")),
    Column("pickup.transfer_hold_days", ("取り寄せ保管日数", "取寄せ保管日数")),
    Column("pickup.transfer_days", ("取り寄せ日数", "取寄せ日数")),
    Column("pickup.slot_minutes", ("受取時間枠(分)", "受取時間枠")),
    Column("pickup.slot_capacity", ("受取枠の定員", "受取定員")),
    Column("safety_stock", ("安全在庫", "安全在庫数")),
)
_KINDS = {"店舗": "store", "店": "store", "倉庫": "warehouse"}
_CLOSED = {"休", "休業", "定休日", "closed", "-"}
_DASH = re.compile(r"\s*[-~〜‐–—―−]\s*")
_SPLIT = re.compile(r"[\s,;、・/]+")


def apply(cells: dict[str, str], _prepared: None) -> bool:
    """Put one row in; says whether it changed anything."""
    code = http.path_code(cells["code"], "/code")
    row = db.session.get(Location, code)
    body = {} if row is None else show(row)
    body = {name: value for name, value in body.items() if name not in {"code", "updated_at"}}
    for column, cell in cells.items():
        if column != "code":
            _lay(body, column, cell)
    _row, changed = put_location(code=code, settings=http.load(LocationIn, body))
    return changed


def _lay(body: dict[str, Any], column: str, cell: str) -> None:
    first, _, rest = column.partition(".")
    if rest:
        body[first] = dict(body.get(first) or {})
    target, name = (body[first], rest) if rest else (body, first)
    target.pop(name, None)
    if cell:
        try:
            target[name] = _value(column, first, unicodedata.normalize("NFKC", cell), cell)
        except CellInvalid as error:
            raise invalid("/" + column.replace(".", "/"), error.code) from error


def _value(column: str, first: str, plain: str, cell: str) -> Any:
    if first == "hours":
        return [] if plain in _CLOSED else [_DASH.split(span) for span in _SPLIT.split(_DASH.sub("-", plain))]
    if first == "closures":
        return [date(day).isoformat() for day in re.split(r"[\s,;、・]+", plain) if day]
    if column == "pickup.enabled":
        return boolean(plain)
    if column == "pickup.cut_off":
        return plain
    if first in {"pickup", "safety_stock"}:
        return integer(plain)
    if first in {"latitude", "longitude"}:
        return _number(plain)
    return _KINDS.get(plain, plain) if first == "kind" else cell


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise CellInvalid("not-number") from None
