"""The description over HTTP."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, redirect, render_template, url_for
from markupsafe import Markup, escape
from werkzeug.wrappers import Response as AnyResponse

from app import staff
from app.core.http import OPERATIONS, public

from . import openapi

bp = Blueprint("docs", __name__, template_folder="templates")
for _name in ("root", "openapi_json", "docs_page", "problem_page"):
    public(f"docs.{_name}")

# What a web shop and a till call every day first; masters and files after that.
_ORDER = (
    "stock", "reservations", "orders", "pickups", "waves", "waiting", "rescue", "pos", "shipping", "webhooks",
    "notices", "reports", "stores", "catalog", "imports",
)  # fmt: skip
_NEVER_NULL = {"id", "state"}


@bp.app_template_filter("code")
def _code(text: str) -> Markup:
    """Words in backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped before


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    return openapi.document()


@bp.get("/")
def root() -> AnyResponse:
    """Where a reader begins."""
    return redirect(url_for("docs.docs_page"))


@bp.get("/api/openapi.json")
def openapi_json() -> Response:
    """The document."""
    response = jsonify(_document())
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@bp.get("/api/docs")
def docs_page() -> Response:
    """The same for people; no script, no other host."""
    document = _document()
    groups: dict[str, list[dict[str, Any]]] = {}
    for op in OPERATIONS:
        groups.setdefault(op.tag, []).append(
            {
                "op": op,
                "example": json.dumps(op.example, ensure_ascii=False, indent=2) if op.example is not None else None,
                "fields": _fields(document, op.body.__name__) if op.body is not None else [],
                "answer": _answer(_fields(document, op.reply.__name__)) if op.reply is not None else [],
                "problems": sorted({p.code for p in op.problems}),
            }
        )
    tags = sorted(groups, key=lambda tag: _ORDER.index(tag) if tag in _ORDER else len(_ORDER))
    html = render_template(
        "docs/docs.html",
        groups={tag: groups[tag] for tag in tags},
        problems=openapi.problem_list(),
        scopes=staff.SCOPES,
        base=current_app.config["PUBLIC_URL"],
    )
    return _page(html)


@bp.get("/problems/<code>")
def problem_page(code: str) -> Response:
    """What a problem's `type` points to."""
    found = [p for p in openapi.problem_list() if p["code"] == code]
    if not found:
        abort(404)
    return _page(render_template("docs/problem.html", problem=found[0]))


def _page(html: str) -> Response:
    response = Response(html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


def _fields(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    schema = document["components"]["schemas"].get(name, {})
    required = set(schema.get("required", []))
    return [
        {"name": key, "type": _kind(value), "required": key in required, "limits": _limits(value)}
        for key, value in schema.get("properties", {}).items()
    ]


def _answer(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An answer's fields; the schema lets any of them be null, but these are always there."""
    return [f | {"type": f["type"].replace("|null", "")} if f["name"] in _NEVER_NULL else f for f in fields]


def _kind(value: dict[str, Any]) -> str:
    if "$ref" in value:
        return str(value["$ref"].rsplit("/", 1)[-1])
    if "allOf" in value or "anyOf" in value:
        return " | ".join(_kind(v) for v in value.get("allOf", value.get("anyOf", [])))
    kind = value.get("type", "any")
    if kind == "array":
        return f"[{_kind(value.get('items', {}))}]"
    shown = "|".join(kind) if isinstance(kind, list) else str(kind)
    return f"{shown} ({value['format']})" if "format" in value else shown


def _limits(value: dict[str, Any]) -> str:
    if "enum" in value:
        return " · ".join(str(v) for v in value["enum"])
    low = value.get("minimum", value.get("minLength", value.get("minItems")))
    high = value.get("maximum", value.get("maxLength", value.get("maxItems")))
    return (
        f"{'' if low is None else low} … {'' if high is None else high}" if low is not None or high is not None else ""
    )
