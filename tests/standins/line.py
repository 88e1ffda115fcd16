"""A stand-in for LINE's notification messages, built from the published reference; it is not LINE.

It checks what the reference says LINE checks: the key, the SHA-256 in `to`, the delivery tag's length, the lengths and
numbers of items, buttons and messages, and that no retry key is sent. It answers with the published statuses and texts,
and signs its reports of delivery as the Messaging API does.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from tests.standins.web import Answer, Call, WebServer

TEMPLATED = "/v2/bot/message/pnp/templated/push"
FLEXIBLE = "/bot/pnp/push"
_KNOWN_TEMPLATES = {"shipment_completed_ja"}


@dataclass
class LineStandIn:
    """The channel's token and secret, the people who can be reached, and what they got: by the hash of their number."""

    token: str = "line-token"
    secret: str = "line-secret"
    reachable: set[str] = field(default_factory=set)
    trouble: int | None = None
    hang: bool = False
    got: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.web = WebServer(self.answer, hang=self.hang).__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.web.__exit__(*error)

    @property
    def config(self) -> dict[str, str]:
        """The settings of a shop that uses this channel."""
        return {
            "LINE_BASE_URL": self.web.url, "LINE_CHANNEL_TOKEN": self.token, "LINE_CHANNEL_SECRET": self.secret,
        }  # fmt: skip

    def knows(self, phone: str) -> None:
        """Somebody has this number with LINE and takes notification messages."""
        self.reachable.add(hashlib.sha256(phone.encode()).hexdigest())

    def answer(self, call: Call) -> Answer:
        """What LINE answers, by its reference."""
        head = {"x-line-request-id": f"request-{len(self.web.calls)}"}
        if call.headers.get("authorization") != f"Bearer {self.token}":
            return 401, head, {"message": "Authentication failed. Confirm that the access token is valid."}
        if self.trouble is not None:
            return self.trouble, head, {"message": "trouble"}
        if call.path not in {TEMPLATED, FLEXIBLE}:
            return 404, head, {"message": "Not found"}
        faults = list(_faults(call))
        if faults:
            said = f"The request body has {len(faults)} error(s)"
            return 400, head, {"message": said, "details": [{"message": m, "property": p} for p, m in faults]}
        if call.body["to"] not in self.reachable:
            return 422, head, {"message": "Failed to send messages"}
        self.got.append((call.body["to"], call.headers.get("x-line-delivery-tag", ""), call.body))
        return (202 if call.path == TEMPLATED else 200), head, {}

    def report(self, *tags: str) -> tuple[bytes, dict[str, str]]:
        """Body and headers of the webhook that tells of deliveries."""
        events = [
            {
                "type": "delivery", "delivery": {"data": tag}, "webhookEventId": "01G17EJCGAVV66J5WNA7ZCTF6H",
                "deliveryContext": {"isRedelivery": False}, "timestamp": 1650591346705, "mode": "active",
                "source": {"type": "user", "userId": "U8189cf6745fc0d808977bdb0b9f22995"},
            }
            for tag in tags
        ]  # fmt: skip
        body = json.dumps({"destination": "Uc7472b39e21dab71c2347e02714630d6", "events": events}).encode()
        digest = hmac.new(self.secret.encode(), body, hashlib.sha256).digest()
        return body, {"X-Line-Signature": base64.b64encode(digest).decode(), "Content-Type": "application/json"}


def _faults(call: Call) -> Iterator[tuple[str, str]]:
    """(property, message) of everything in the request that the reference does not allow."""
    if "x-line-retry-key" in call.headers:
        yield "header", "X-Line-Retry-Key is not supported"
    if not 16 <= len(call.headers.get("x-line-delivery-tag", "0" * 16)) <= 100:
        yield "header", "X-Line-Delivery-Tag must be 16 to 100 characters"
    if not re.fullmatch(r"[0-9a-f]{64}", str(call.body.get("to"))):
        yield "to", "The value must be a valid SHA-256 digest."
    yield from _flexible_faults(call.body) if call.path == FLEXIBLE else _template_faults(call.body)


def _flexible_faults(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if not 1 <= len(body.get("messages", [])) <= 5:
        yield "messages", "Size must be between 1 and 5"
    for message in body.get("messages", []):
        if message.get("type") != "text" or not 1 <= len(message.get("text", "")) <= 5000:
            yield "messages[0]", "May not be empty"


def _template_faults(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if body.get("templateKey") not in _KNOWN_TEMPLATES:
        yield "templateKey", "The specified template doesn't exist, or you don't have the permission"
    inner = body.get("body", {})
    emphasized, items, buttons = inner.get("emphasizedItem"), inner.get("items", []), inner.get("buttons", [])
    if len(items) > 15 or len(buttons) > 2:
        yield "body", "Size must be between 0 and 15, and 0 and 2"
    if emphasized is not None and not 1 <= len(emphasized["content"]) <= 15:
        yield "body.emphasizedItem.content", "Length must be between 1 and 15"
    if any(not 1 <= len(item["content"]) <= 300 for item in items):
        yield "body.items[0].content", "Length must be between 1 and 300"
    keys = [item["itemKey"] for item in [*items, *([emphasized] if emphasized else [])]]
    if len(keys) != len(set(keys)):
        yield "body.items", "Duplicate itemKey in items or between emphasizedItem and items are not allowed"
    if any(not 1 <= len(button["url"]) <= 1000 for button in buttons):
        yield "body.buttons[0].url", "Length must be between 1 and 1000"
