"""LINE notification messages: sent to a phone number's hash; the person need not be the shop's friend.

Kinds with an entry in LINE_TEMPLATES go as template messages, the others as plain text (which LINE must have approved
for the shop). LINE knows no retry key for these calls: a call without an answer is not repeated, but waits for the
report of delivery, and the next channel follows if none comes.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import orjson

from app.core.ids import sha256
from app.core.settings import SettingsError
from app.customers import Contact

from .senders import Message, Outcome, Send, client, of_error, of_status

TEMPLATED = "/v2/bot/message/pnp/templated/push"
FLEXIBLE = "/bot/pnp/push"
_EMPHASIZED_LENGTH, _ITEM_LENGTH, _URL_LENGTH = 15, 300, 1_000
_ITEMS, _BUTTONS = 15, 2


def templates_of(text: str | None) -> Mapping[str, Any]:
    """Read LINE_TEMPLATES: by `<kind>.<language>` the template's key and which fact fills which item and button."""
    msg = (
        'LINE_TEMPLATES must be JSON like {"pickup.ready.ja": {"templateKey": "…", "items": {"number_001_ja": "code"}}}'
    )
    try:
        read = orjson.loads(text or "{}")
    except orjson.JSONDecodeError as error:
        raise SettingsError(msg) from error
    if not isinstance(read, dict) or not all(_is_template(entry) for entry in read.values()):
        raise SettingsError(msg)
    return read


def _is_template(entry: object) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("templateKey"), str):
        return False
    items, buttons, emphasized = (entry.get(part, {}) for part in ("items", "buttons", "emphasizedItem"))
    parts_are_maps = all(isinstance(part, dict) for part in (items, buttons, emphasized))
    return parts_are_maps and len(items) <= _ITEMS and len(buttons) <= _BUTTONS and len(emphasized) <= 1


def signature(secret: str, body: bytes) -> str:
    """What LINE sends along as X-Line-Signature."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class LineSender:
    """The channel `line`."""

    channel = "line"

    def __init__(self, base_url: str, token: str, templates: Mapping[str, Any]) -> None:
        self.base_url, self.token, self.templates = base_url, token, templates

    def address(self, to: Contact) -> str | None:
        """The hash of their number in E.164."""
        return sha256(to.phone) if to.phone and to.phone.startswith("+") else None

    @contextlib.contextmanager
    def session(self) -> Iterator[Send]:
        """One client for the batch."""
        with client() as http:
            yield lambda message: self._send(http, message)

    def _send(self, http: httpx.Client, message: Message) -> Outcome:
        template = self.templates.get(f"{message.kind}.{message.language}")
        path, body = (TEMPLATED, _filled(template, message.facts)) if template else (FLEXIBLE, _plain(message.short))
        headers = {"Authorization": f"Bearer {self.token}", "X-Line-Delivery-Tag": message.tag}
        try:
            answer = http.post(self.base_url + path, json={"to": message.address, **body}, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return of_error(error)
        except httpx.HTTPError:  # LINE may have it: told as sent, and the report of delivery decides
            return Outcome("sent", "outcome-unknown", down=True)
        if answer.is_success:
            return Outcome("sent", provider_id=answer.headers.get("x-line-request-id", "")[:120] or None)
        return of_status(self.channel, answer.status_code)


def _plain(short: str) -> dict[str, Any]:
    return {"messages": [{"type": "text", "text": short}]}


def _filled(template: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "items": [
            {"itemKey": key, "content": content}
            for key, fact in template.get("items", {}).items()
            if (content := _fact(facts, fact)[:_ITEM_LENGTH])
        ],
        "buttons": [
            {"buttonKey": key, "url": url}
            for key, fact in template.get("buttons", {}).items()
            if (url := _fact(facts, fact)) and len(url) <= _URL_LENGTH
        ],
    }
    for key, fact in template.get("emphasizedItem", {}).items():
        if content := _fact(facts, fact)[:_EMPHASIZED_LENGTH]:
            body["emphasizedItem"] = {"itemKey": key, "content": content}
    return {"templateKey": template["templateKey"], "body": body}


def _fact(facts: Mapping[str, Any], path: str) -> str:
    """The fact at `store.name`; empty where there is none, for LINE refuses empty items and we leave them out."""
    value: Any = facts
    for step in str(path).split("."):
        value = value.get(step, "") if isinstance(value, Mapping) else ""
    return str(value)
