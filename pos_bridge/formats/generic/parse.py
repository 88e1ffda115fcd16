"""Reads the generic CSV: rows of one receipt stand together, each row a line, a payment, or both.

Memory is bounded by one receipt, so receipts are not gathered from all over the file; one that appears again further
down is refused, because half of it has been given already. A receipt with one bad row is refused whole: half a sale
is not a fact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, BinaryIO, Final

from app.core import settings
from app.core.csvfile import CellInvalid, Column, CsvFile, CsvHeaderError, Row, date, integer, open_csv
from pos_bridge.formats.moments import sold_at
from pos_bridge.formats.result import RAW_KEPT_CHARS, EntryInvalid, FileInvalid, Parsed, Rejected, Tally, Warned

ROWS_MAX: Final = 2_000
RECEIPTS_REMEMBERED: Final = 100_000

COLUMNS: Final = (
    Column("store", ("店舗", "店舗コード", "店舗ID", "店番"), required=True),
    Column("terminal", ("端末", "端末番号", "端末ID", "レジ", "レジ番号", "レジNo"), required=True),
    Column("receipt_no", ("レシート番号", "レシートNo", "伝票番号", "取引番号", "取引ID"), required=True),
    Column("business_date", ("営業日", "営業日付", "締め日"), required=True),
    Column("sold_at", ("取引日時", "販売日時", "売上日時", "会計日時"), required=True),
    Column("line_no", ("行番号", "明細番号", "行No", "明細No"), required=True),
    Column("sku", ("商品コード", "品番", "SKUコード", "商品番号")),
    Column("barcode", ("バーコード", "JAN", "JANコード")),
    Column("name", ("商品名", "品名")),
    Column("quantity", ("数量", "点数", "個数"), required=True),
    Column("unit_price", ("単価", "販売単価", "売価"), required=True),
    Column("discount", ("値引", "値引き", "値引額", "割引額")),
    Column("tender_method", ("支払方法", "支払い方法", "決済方法"), required=True),
    Column("tender_amount", ("支払金額", "支払額", "決済金額", "入金額"), required=True),
    Column("card_no", ("会員番号", "会員カード番号", "カード番号")),
    Column("kind", ("取引区分", "区分")),
)
_KEY: Final = ("store", "terminal", "receipt_no", "business_date")
_KINDS: Final = {
    "sale": "sale", "売上": "sale", "販売": "sale", "通常": "sale", "return": "return", "返品": "return",
    "void": "void", "取消": "void", "取消し": "void",
}  # fmt: skip
_METHODS: Final = {
    "現金": "cash", "クレジット": "card", "クレジットカード": "card", "カード": "card", "電子マネー": "emoney",
    "QR": "qr", "QR決済": "qr", "商品券": "gift_certificate", "ポイント": "points", "売掛": "account",
}  # fmt: skip

Key = tuple[str, ...]


@dataclass(slots=True)
class _Group:
    """The rows of one receipt, and the first thing that is wrong with them."""

    key: Key
    first: int
    rows: list[Row] = field(default_factory=list)
    fault: Rejected | None = None


def parse(
    stream: BinaryIO,
    *,
    source: str,
    zone: Callable[[str], tzinfo | None],
    tally: Tally | None = None,
) -> Iterator[Parsed | Rejected]:
    """Give each receipt of the file in its order; `zone` answers a store's time zone, None for an unknown store."""
    count = tally if tally is not None else Tally()
    try:
        file = open_csv(stream, COLUMNS)
    except CsvHeaderError as fault:
        raise FileInvalid(fault.code, 0, fault.column) from None
    if "sku" not in file.fields and "barcode" not in file.fields:
        raise FileInvalid("column-missing", 0, "sku")
    count.unknown_columns, count.encoding = file.unknown, file.encoding
    seen: dict[Key, None] = {}
    for group in _groups(file):
        count.entries += 1
        if group.fault is None and group.key in seen:
            group.fault = _reappeared(group.rows[0], source)
        seen[group.key] = None
        if len(seen) > RECEIPTS_REMEMBERED:
            del seen[next(iter(seen))]
        yield group.fault or _sale(group, source, zone)


def _groups(file: CsvFile) -> Iterator[_Group]:
    group: _Group | None = None
    for row in file:
        key = _key(row, file.fields)
        if group is None or (key is not None and key != group.key):
            if group is not None:
                yield group
            group = _Group(key or (), row.number)
        # A row without a readable key stands among this receipt's: it may be one of its lines, so it spoils it.
        if row.problems and group.fault is None:
            bad = row.problems[0]
            group.fault = _rejected(row, bad.code, None, bad.column)
        if len(group.rows) < ROWS_MAX:
            group.rows.append(row)
        elif group.fault is None:
            group.fault = _rejected(row, "too-many-rows", None)
    if group is not None:
        yield group


def _key(row: Row, fields: tuple[str | None, ...]) -> Key | None:
    cells = row.cells or {name: cell.strip() for name, cell in zip(fields, row.raw, strict=False) if name}
    found = tuple(cells.get(name, "") for name in _KEY)
    return found if not row.problems or all(found) else None


def _sale(group: _Group, source: str, zone: Callable[[str], tzinfo | None]) -> Parsed | Rejected:
    row = group.rows[0]
    key: dict[str, str] | None = None
    try:
        key = _natural_key(row, source)
        lines: dict[int, dict[str, Any]] = {}
        tenders: list[dict[str, Any]] = []
        for row in group.rows:
            _add_row(row, lines, tenders)
        row = group.rows[0]
        return _receipt(group, key, (list(lines.values()), tenders), zone(key["store"]))
    except EntryInvalid as fault:
        return _rejected(row, fault.code, key, fault.column)


def _receipt(
    group: _Group,
    key: dict[str, str],
    content: tuple[list[dict[str, Any]], list[dict[str, Any]]],
    zone: tzinfo | None,
) -> Parsed:
    lines, tenders = content
    warnings: list[Warned] = []
    first = group.rows[0].cells
    if not lines:
        raise EntryInvalid("no-lines", "line_no")
    moment, certain = sold_at(first["sold_at"], zone, "sold_at")
    if not certain:
        warnings.append(Warned("/sold_at", "zone-unknown"))
    kind = _one(group, "kind") or ""
    if kind and kind.casefold() not in _KINDS:
        raise EntryInvalid("kind-unknown", "kind")
    # Tills without a kind write what came back with a minus before the pieces.
    came_back = all(line["quantity"] < 0 for line in lines)
    sale: dict[str, Any] = {**key, "kind": _KINDS.get(kind.casefold(), "return" if came_back else "sale")}
    sale["sold_at"] = moment
    if card := _one(group, "card_no"):
        sale["customer"] = {"card_no": card}
    tenders = _once(lines, tenders, rows=len(group.rows))
    if sale["kind"] != "sale":
        lines = [_positive(line) for line in lines]
        tenders = [{**tender, "amount": abs(tender["amount"])} for tender in tenders]
    if sum(tender["amount"] for tender in tenders) != _total(lines):
        warnings.append(Warned("/tenders", "tenders-differ"))
    warnings += [
        Warned(f"/lines/{i}", "code-missing") for i, x in enumerate(lines) if not x.keys() & {"sku", "barcode"}
    ]
    sale["lines"], sale["tenders"] = lines, tenders
    return Parsed(group.first, sale, tuple(warnings))


def _add_row(row: Row, lines: dict[int, dict[str, Any]], tenders: list[dict[str, Any]]) -> None:
    cells = row.cells
    has_tender = bool(cells["tender_method"] or cells["tender_amount"])
    if any(cells.get(name) for name in ("line_no", "sku", "barcode", "quantity", "unit_price")):
        line = _line(cells, len(lines) + 1)
        # A till that joins lines and payments repeats the line for each payment.
        if lines.setdefault(line["line_no"], line) != line:
            raise EntryInvalid("line-conflict", "line_no")
    elif not has_tender:
        raise EntryInvalid("row-says-nothing")
    if has_tender:
        method = cells["tender_method"]
        if not method:
            raise EntryInvalid("empty", "tender_method")
        amount = _integer(cells, "tender_amount", -settings.MAX_YEN, settings.MAX_YEN)
        tenders.append({"method": _METHODS.get(method, method.casefold()[: settings.MAX_CODE]), "amount": amount})


def _line(cells: dict[str, str], next_no: int) -> dict[str, Any]:
    line: dict[str, Any] = {"line_no": _integer(cells, "line_no", 1, 1_000_000) if cells["line_no"] else next_no}
    for name, longest in (("sku", settings.MAX_CODE), ("barcode", settings.MAX_CODE), ("name", settings.MAX_TEXT)):
        if value := cells.get(name, ""):
            if len(value) > longest:
                raise EntryInvalid("too-long", name)
            line[name] = value
    line["quantity"] = _integer(cells, "quantity", -settings.MAX_QUANTITY, settings.MAX_QUANTITY)
    if line["quantity"] == 0:
        raise EntryInvalid("out-of-range", "quantity")
    line["unit_price"] = _integer(cells, "unit_price", 0, settings.MAX_YEN)
    if cells.get("discount"):
        # Some tills write a discount as a negative figure; it lowers the price either way.
        discount = abs(_integer(cells, "discount", -settings.MAX_YEN, settings.MAX_YEN))
        if discount:
            line["discount"] = -discount if line["quantity"] < 0 else discount
    return line


def _once(lines: list[dict[str, Any]], tenders: list[dict[str, Any]], *, rows: int) -> list[dict[str, Any]]:
    """Undo a join: one payment of the whole total, repeated on every row, was made once."""
    repeated = len(tenders) > 1 and len(tenders) == rows and all(tender == tenders[0] for tender in tenders)
    return tenders[:1] if repeated and abs(tenders[0]["amount"]) == abs(_total(lines)) else tenders


def _total(lines: list[dict[str, Any]]) -> int:
    return sum(line["quantity"] * line["unit_price"] - line.get("discount", 0) for line in lines)


def _positive(line: dict[str, Any]) -> dict[str, Any]:
    return line | {name: abs(line[name]) for name in ("quantity", "discount") if name in line}


def _natural_key(row: Row, source: str) -> dict[str, str]:
    for name in _KEY:
        if not row.cells.get(name):
            raise EntryInvalid("key-missing", name)
        if len(row.cells[name]) > settings.MAX_CODE:
            raise EntryInvalid("key-too-long", name)
    try:
        day = date(row.cells["business_date"])
    except CellInvalid as fault:
        raise EntryInvalid(fault.code, "business_date") from None
    key = {name: row.cells[name] for name in ("store", "terminal")}
    return {"source": source, **key, "business_date": day.isoformat(), "receipt_no": row.cells["receipt_no"]}


def _one(group: _Group, name: str) -> str | None:
    """Give what the rows of a receipt say in one voice."""
    said = {row.cells.get(name) for row in group.rows} - {"", None}
    if len(said) > 1:
        raise EntryInvalid("rows-differ", name)
    return said.pop() if said else None


def _integer(cells: dict[str, str], name: str, minimum: int, maximum: int) -> int:
    try:
        return integer(cells[name], minimum=minimum, maximum=maximum)
    except CellInvalid as fault:
        raise EntryInvalid(fault.code, name) from None


def _reappeared(row: Row, source: str) -> Rejected:
    try:
        return _rejected(row, "receipt-reappears", _natural_key(row, source))
    except EntryInvalid as fault:
        return _rejected(row, fault.code, None, fault.column)


def _rejected(row: Row, code: str, key: dict[str, str] | None, column: str | None = None) -> Rejected:
    return Rejected(row.number, code, ",".join(row.raw)[:RAW_KEPT_CHARS], key, column)
