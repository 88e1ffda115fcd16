"""Made-up facts of every kind: what a template is tried with before it is taken, and what a preview shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .letters import LineFacts, PickupFacts, ReminderFacts, StoreFacts, WaitlistFacts

_STORE = StoreFacts(
    name="渋谷店",
    address="〒150-0002 東京都渋谷区渋谷1-1-1",
    phone="03-1234-5678",
    hours="10:00〜21:00",
    map_url="https://maps.example/shibuya",
)
_LINES = [
    LineFacts(sku="TEE-NVY-M", name="Tシャツ", options="ネイビー / M", quantity=2, price=3980, reduced=False),
    LineFacts(sku="TEA-01", name="ほうじ茶", options="", quantity=1, price=540, reduced=True),
]
_PICKUP = PickupFacts(
    name="山田花子",
    order_number="H7K2M9QX",
    code="7F4QD",
    pin="123456",
    page_url="https://shop.example/p/SAMPLE",
    qr_url="https://shop.example/p/SAMPLE/qr.svg",
    store=_STORE,
    deadline="11月29日(日) 21:00",
    ready_by="11月22日(日) 16:10",
    choose_by="11月23日(月) 15:10",
    amount_due=0,
    paid=True,
    lines=_LINES,
    refund_total=4520,
    reason="ご希望の商品を店頭で確認できなかった",
    options=["別の店舗で受け取る", "ご自宅へ配送する", "ご注文をキャンセルする"],
    return_policy="お受け取りから8日以内、未使用の商品に限り返品を承ります。",
)
_UNPAID = PickupFacts(
    **{
        **_PICKUP,
        "paid": False,
        "amount_due": 4520,
        "refund_total": 0,
        "reason": "",
        "choose_by": "",
        "return_policy": "",
        "options": [],
    }
)
_WAITLIST = WaitlistFacts(
    name="山田花子",
    store=_STORE,
    lines=_LINES[:1],
    page_url="https://shop.example/w/SAMPLE",
    until="11月23日(月) 21:00",
)
_PICKUP_KINDS = (
    "pickup.requested",
    "pickup.delayed",
    "pickup.short",
    "pickup.ready",
    "pickup.collected",
    "pickup.expired",
    "pickup.cancelled",
    "pickup.reduced",
    "pickup.choose",
    "pickup.extended",
)

# Each kind is tried with all of its samples; the first is shown in a preview.
SAMPLES: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    **dict.fromkeys(_PICKUP_KINDS, (_PICKUP, _UNPAID)),
    "pickup.reminder": (ReminderFacts(**_PICKUP, day_before=True), ReminderFacts(**_UNPAID, day_before=False)),
    "waitlist.available": (_WAITLIST,),
}
