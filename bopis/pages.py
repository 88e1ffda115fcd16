"""The customer's page `/p/{token}`: who has the address may see it. No login, no script, nothing kept by anyone."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Blueprint, Response, render_template, request, url_for
from markupsafe import Markup

from app.core import actor, clock, texts
from app.core.actor import Actor

from . import passes, showing

bp = Blueprint("bopis_pages", __name__, template_folder="templates")
ENDPOINTS = ("bopis_pages.show", "bopis_pages.nothing", "bopis_pages.code", "bopis_pages.style")

_STYLE = (Path(__file__).parent / "static" / "pickup.css").read_bytes()
_STYLE_VERSION = hashlib.sha256(_STYLE).hexdigest()[:12]
_CUSTOMER = Actor(kind="customer", id="customer", name="customer")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Language",
}


@bp.get("/p/<token>")
def show(token: str) -> Response:
    """The page of a pickup; a wrong token looks like none."""
    _begin()
    seen = _seen(token)
    if seen is None:
        return _nothing()
    return _page("bopis/pickup.html", 200, it=seen, code_svg=Markup(seen.qr or ""))  # noqa: S704  drawn by us


@bp.get("/p/")
def nothing() -> Response:
    """No token at all."""
    _begin()
    return _nothing()


@bp.get("/p/<token>/qr.svg")
def code(token: str) -> Response:
    """The QR code as a picture, while there is something to collect."""
    _begin()
    seen = _seen(token)
    if seen is None or seen.qr is None:
        return _nothing()
    return Response(seen.qr, headers=_HEADERS, content_type="image/svg+xml")


@bp.get("/static/bopis/pickup.css")
def style() -> Response:
    """How the pages look; its address changes with its contents, so it may be kept for good."""
    return Response(_STYLE, headers={"Cache-Control": "public, max-age=31536000, immutable"}, content_type="text/css")


def _seen(token: str) -> showing.Showing | None:
    """What the token opens; a lent pass that ended opens nothing."""
    found = passes.find(token)
    if found is None or (found.lent is not None and not passes.is_good(found.lent, clock.now())):
        return None
    return showing.of(found.pickup, found.lent)


def _begin() -> None:
    """Whoever comes is a customer without bounds, and chooses the language."""
    actor.act_as(_CUSTOMER)
    chosen = request.args.get("lang", "")
    if chosen in texts.LANGUAGES:
        texts.choose(chosen)


def _nothing() -> Response:
    return _page("bopis/nothing.html", 404)


def _page(template: str, status: int, **facts: object) -> Response:
    language = texts.language()
    html = render_template(
        template,
        word=texts.word,
        language=language,
        other="en" if language == "ja" else "ja",
        style=url_for("bopis_pages.style", v=_STYLE_VERSION),
        **facts,
    )
    return Response(html, status, headers=_HEADERS, content_type="text/html; charset=utf-8")
