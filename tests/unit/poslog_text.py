"""POSLog texts for tests: the real sample and short ones made of parts."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pos_bridge.formats.poslog.parse import parse
from pos_bridge.formats.result import Parsed, Rejected, Tally

SMALL = (Path(__file__).parents[1] / "data" / "poslog" / "SMALL.xml").read_bytes()
TOKYO = ZoneInfo("Asia/Tokyo")
APPLE = "4901234567894"


def read(data: bytes, zone: ZoneInfo | None = TOKYO) -> tuple[list[Parsed | Rejected], Tally]:
    tally = Tally()
    return list(parse(io.BytesIO(data), source="till", zone=lambda _store: zone, tally=tally)), tally


def parsed(receipt: str, **head: str) -> Parsed:
    entries, _ = read(log(transaction(receipt, **head)))
    assert len(entries) == 1
    assert isinstance(entries[0], Parsed), entries[0]
    return entries[0]


def rejected(data: bytes) -> Rejected:
    entries, _ = read(data)
    assert len(entries) == 1
    assert isinstance(entries[0], Rejected)
    return entries[0]


def log(*transactions: str, head: str = "") -> bytes:
    namespace = "http://www.nrf-arts.org/IXRetail/namespace/"
    return f'{head}<POSLog xmlns="{namespace}" xmlns:acs="urn:acs">{"".join(transactions)}</POSLog>'.encode()


def transaction(receipt: str, **head: str) -> str:
    fields = {
        "RetailStoreID": "S1", "WorkstationID": "2", "SequenceNumber": "77", "BusinessDayDate": "2026-11-22",
        "EndDateTime": "2026-11-22T15:10:00", "CurrencyCode": "JPY",
    }  # fmt: skip
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in (fields | head).items() if value)
    return f"<Transaction>{inner}<RetailTransaction>{receipt}</RetailTransaction></Transaction>"


def item(  # a line of goods, as short as a test needs it
    number: int,
    amount: str,
    quantity: str = "1",
    *,
    price: str = "",
    element: str = "Sale",
    flags: str = "",
    more: str = "",
) -> str:
    price = f"<RegularSalesUnitPrice>{price}</RegularSalesUnitPrice>" if price else ""
    count = f"<Quantity>{quantity}</Quantity>" if quantity else ""
    identity = f'<POSIdentity POSIDType="GTIN"><POSItemID>{APPLE}</POSItemID></POSIdentity>'
    return (
        f"<LineItem {flags}><SequenceNumber>{number}</SequenceNumber><{element}>{identity}{price}"
        f"<ExtendedAmount>{amount}</ExtendedAmount>{count}{more}</{element}></LineItem>"
    )


def tender(amount: str, kind: str = "Cash", *, change: str = "", code: str = "Sale", flags: str = "") -> str:
    change = f"<TenderChange><Amount>{change}</Amount></TenderChange>" if change else ""
    inner = f'<Tender TenderType="{kind}" TypeCode="{code}"><Amount>{amount}</Amount>{change}</Tender>'
    return f"<LineItem {flags}>{inner}</LineItem>"


def grand(amount: str) -> str:
    return f'<Total TotalType="TransactionGrandAmount">{amount}</Total>'


def line(number: int, amount: int, quantity: int = 1, **more: Any) -> dict[str, Any]:
    price = abs(amount // quantity)
    return {"line_no": number, "barcode": APPLE, "quantity": quantity, "unit_price": price, "amount": amount} | more
