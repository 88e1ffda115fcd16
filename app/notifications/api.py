"""Notices and their templates over HTTP, and the address to which LINE reports deliveries."""

from __future__ import annotations

import hmac
from typing import Any

import orjson
from flask import current_app, request

from app.core import etags, http, paging, settings
from app.core.errors import BadRequest, PreconditionFailed, Unauthorized
from app.core.http import Api
from app.core.states import IllegalTransition

from . import queries, recording, requesting, versions
from .errors import UnknownNotice, UnknownNoticeKind
from .line import signature
from .models import Notice
from .schemas import (
    NoticeDetailOut,
    NoticePage,
    NoticeQuery,
    PreviewIn,
    PreviewOut,
    TemplateIn,
    TemplateList,
    TemplateOut,
)
from .templating import Words

bp = Api("notices", __name__)
_WORDS = {
    "subject": "【{{ store.name }}】ご注文のキャンセルについて(注文番号 {{ order_number }})",
    "text": "{{ name }} 様\n\nご注文をキャンセルいたしました。\n\n注文番号: {{ order_number }}\n{{ page_url }}",
    "short": "【{{ store.name }}】ご注文をキャンセルいたしました。{{ page_url }}",
}


@bp.operation("GET", "/notices", scope="pickups:read", query=NoticeQuery, reply=NoticePage)
def list_notices(query: dict[str, Any]) -> dict[str, Any]:
    """Notices to customers, ascending by their last change."""
    asked = {name: query.get(name) for name in ("subject", "state", "location")}
    return paging.page(queries.listed(**asked), Notice, query, show=queries.show)


@bp.operation("GET", "/notices/<notice_id>", scope="pickups:read", reply=NoticeDetailOut, problems=[UnknownNotice])
def get_notice(notice_id: str) -> dict[str, Any]:
    """One notice with every attempt to send it."""
    return queries.show_whole(queries.find(notice_id))


@bp.operation(
    "POST", "/notices/<notice_id>/resend", scope="pickups:write", reply=NoticeDetailOut,
    problems=[UnknownNotice, IllegalTransition],
)  # fmt: skip
def resend_notice(notice_id: str) -> dict[str, Any]:
    """Send a notice again, written anew from what is true now."""
    requesting.resend(notice_id)
    row = queries.find(notice_id)
    http.about("notice", row.id, row.location_id)
    return queries.show_whole(row)


@bp.operation("GET", "/notice-templates", scope="pickups:read", reply=TemplateList)
def list_templates() -> dict[str, Any]:
    """The words of every kind of notice, in each language, as they are in force."""
    return {"items": [queries.show_template(version) for version in versions.all_in_force()]}


@bp.operation(
    "GET", "/notice-templates/<kind>/<language>", scope="pickups:read", reply=TemplateOut, problems=[UnknownNoticeKind]
)  # fmt: skip
def get_template(kind: str, language: str) -> dict[str, Any]:
    """The words of one kind of notice in one language."""
    return queries.show_template(versions.in_force(kind, language))


@bp.operation(
    "PUT", "/notice-templates/<kind>/<language>", scope="admin", body=TemplateIn, reply=TemplateOut, example=_WORDS,
    problems=[UnknownNoticeKind, PreconditionFailed],
)  # fmt: skip
def put_template(body: dict[str, Any], kind: str, language: str) -> dict[str, Any]:
    """Write the words of a notice anew; they are tried with made-up facts before they are taken."""
    etags.require_match(TemplateOut, queries.show_template(versions.in_force(kind, language)))
    version = versions.put(kind, language, Words(**body))
    http.about("notice_template", f"{kind}.{language}.{version.version}")
    return queries.show_template(version)


@bp.operation(
    "POST", "/notice-templates/preview", scope="admin", body=PreviewIn, reply=PreviewOut, safe=True,
    example={"kind": "pickup.cancelled", "language": "ja", **_WORDS}, problems=[UnknownNoticeKind],
)  # fmt: skip
def preview_template(body: dict[str, Any]) -> dict[str, Any]:
    """How a notice would read, with made-up facts."""
    words = {part: body.get(part) for part in ("subject", "text", "short")}
    made = versions.preview(body["kind"], body["language"], **words)
    return {"subject": made.subject, "text": made.text, "short": made.short}


@bp.post("/notifications/line/webhook")
def line_webhook() -> dict[str, Any]:
    """LINE reports what it delivered, signed with the channel's secret. What is not ours has no effect."""
    request.max_content_length = settings.MAX_BODY_BYTES
    raw = request.get_data(cache=True)
    secret = current_app.config["LINE_CHANNEL_SECRET"]
    given = request.headers.get("X-Line-Signature", "").encode("latin-1", "replace")
    if not secret or not hmac.compare_digest(signature(secret, raw).encode(), given):
        raise Unauthorized
    for tag in _tags(raw):
        recording.delivered(tag)
    return {}


def _tags(raw: bytes) -> list[str]:
    try:
        told = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadRequest(reason="json") from error
    events = told.get("events") if isinstance(told, dict) else None
    known = [event for event in events if isinstance(event, dict)] if isinstance(events, list) else []
    reports = [event.get("delivery") for event in known if event.get("type") == "delivery"]
    return [str(report.get("data", "")) for report in reports if isinstance(report, dict)]
