"""docs/scopes.md is what the code says."""

from __future__ import annotations

from flask import Flask

from app import staff
from app.core import settings
from app.core.http import PUBLIC_ENDPOINTS
from scripts import scopes


def test_the_published_table_is_current(app: Flask) -> None:
    published = (settings.ROOT / "docs" / "scopes.md").read_text(encoding="utf-8")
    assert published == scopes.document()


def test_every_scope_asked_for_is_a_published_one(app: Flask) -> None:
    assert {scope for _, _, scope in staff.scope_table()} - set(staff.SCOPES) == {"any"}


def test_below_the_api_only_its_description_and_signed_reports_are_public(app: Flask) -> None:
    public = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint in PUBLIC_ENDPOINTS}
    assert {path for path in public if path.startswith("/api/")} == {
        "/api/docs", "/api/openapi.json", "/api/v1/notifications/line/webhook",
    }  # fmt: skip
