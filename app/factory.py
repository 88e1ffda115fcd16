"""Builds the application: the kernel's features, then those it is handed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from flask import Flask
from flask_babel import Babel
from flask_migrate import Migrate

from app import (
    catalog,
    cli,
    customers,
    docs,
    imports,
    notifications,
    orders,
    reports,
    shipping,
    staff,
    stock,
    stores,
    webhooks,
)
from app.core import db, health, http, idempotency, jobs, logs, problems, settings, texts

KERNEL: tuple[ModuleType, ...] = (
    staff, imports, stores, catalog, customers, stock, notifications, webhooks, orders, shipping, reports,
)  # fmt: skip


class UnguardedRoute(RuntimeError):
    """A route declares neither a scope nor that it is public; the application does not start with it."""


def create_app(features: Iterable[ModuleType] = (), **config: Any) -> Flask:
    """The WSGI application. `config` overrides environment variables (upper-case) and Flask settings."""
    known = settings.read({k: str(v) for k, v in config.items() if isinstance(v, str)})
    app = Flask(__name__, static_folder=None, template_folder=None)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=known.database_url,
        SECRET_KEY=known.secret_key,
        PUBLIC_URL=known.public_url,
        REDIS_URL=known.redis_url,
        METRICS_TOKEN=known.metrics_token,
        APP_ENV=known.app_env,
        LOCK_MS=known.lock_ms,
        STATEMENT_MS=known.statement_ms,
        POOL_SIZE=known.pool_size,
        SMTP_URL=known.smtp_url,
        MAIL_FROM=known.mail_from,
        LINE_BASE_URL=known.line_base_url,
        LINE_CHANNEL_TOKEN=known.line_channel_token,
        LINE_CHANNEL_SECRET=known.line_channel_secret,
        LINE_TEMPLATES=known.line_templates,
        SMS_URL=known.sms_url,
        SMS_TOKEN=known.sms_token,
        ALLOW_PRIVATE_WEBHOOKS=known.allow_private_webhooks,
        BABEL_DEFAULT_LOCALE="ja",
        MAX_CONTENT_LENGTH=settings.MAX_FILE_BYTES,
    )
    app.config.update({k: v for k, v in config.items() if not isinstance(v, str)})
    if known.database_url.startswith("sqlite:///"):
        _make_folder(known.database_url)
    logs.configure(development=known.app_env != "production")
    db.init(app)
    Babel(app, locale_selector=texts.language)
    Migrate(app, db.db, directory=str(settings.ROOT / "migrations"))
    texts.load(settings.ROOT / "app" / "core")
    logs.install(app)
    problems.install(app)
    app.register_blueprint(health.bp)
    for feature in (*KERNEL, *features):
        feature.register(app)
    jobs.every(settings.FORGET_SECONDS, "core.forget_replies")(idempotency.forget_old)
    docs.register(app)
    cli.register(app)
    _refuse_unguarded(app)
    return app


def _make_folder(url: str) -> None:
    path = Path(url.removeprefix("sqlite:///"))
    if path.name and path.name != ":memory:":
        path.parent.mkdir(parents=True, exist_ok=True)


def _refuse_unguarded(app: Flask) -> None:
    guarded = {operation.endpoint for operation in http.OPERATIONS}
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in guarded and rule.endpoint not in http.PUBLIC_ENDPOINTS:
            msg = f"{rule.rule} ({rule.endpoint}) declares neither a scope nor that it is public"
            raise UnguardedRoute(msg)


def start_jobs(app: Flask) -> Flask:
    """Run jobs in this process unless a relay and workers do it."""
    if not app.config["REDIS_URL"]:
        jobs.start(app)
    return app
