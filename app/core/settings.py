"""Every limit and every environment variable of the product, by name.

Bounds are part of the contract: an integer field without both a lower and an upper bound does not exist.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

# Numbers a caller may send.
MAX_YEN = 999_999_999
MAX_QUANTITY = 999_999
MAX_LEVEL = 2_000_000_000
MAX_POINTS = 99_999_999
MAX_REVISION = 1_000_000
MAX_GRAMS = 10_000_000

FIRST_YEAR = 1990
LAST_YEAR = 2200

# Sizes.
MAX_BODY_BYTES = 2 * 1024 * 1024
MAX_FILE_BYTES = 200 * 1024 * 1024
MAX_LINES = 500
MAX_FULFILMENTS = 10
MAX_BATCH = 500
MAX_PAGE = 200
DEFAULT_PAGE = 50
MAX_CODE = 64
MAX_TEXT = 200
MAX_NOTE = 1000
MAX_SKUS_ASKED = 200
MAX_LOCATIONS_SHOWN = 20
MAX_ALTERNATIVES = 5
LOW_STOCK_PIECES = 3
MAX_IDEMPOTENCY_KEY = 200
MAX_DEVICE = 64
MAX_IMPORT_ERRORS_SHOWN = 200
MAX_REPORT_DAYS = 92
MAX_REPORT_ROWS = 10_000
IMPORT_BATCH = 500

# Money. Which way a part of a yen of tax goes is the company's choice: floor, half_up or ceil.
TAX_ROUNDING = "floor"

# Times.
STATEMENT_MS = 5_000
LOCK_MS = 2_000
REQUEST_SECONDS = 10
MAX_TRIES = 6
RETRY_AFTER_SECONDS = 2
IDEMPOTENCY_DAYS = 7
CART_SECONDS = 15 * 60
PICKUP_CLAIM_SECONDS = 30 * 60
MAX_CLAIM_SECONDS = 30 * 24 * 3600
PAYMENT_DUE_HOURS = 72
UNDO_SECONDS = 60
CHOICE_HOURS = 24
RESCUE_SOURCES = 3  # places named from which goods could be sent instead
WATCH_SECONDS = 30
LATE_MINUTES = 15
IMPORT_DAYS = 30
IMPORT_SLICE_SECONDS = 5
MAX_PIN_TRIES = 5
MAX_PROXIES = 5
MIN_LEND_MINUTES = 5
MAX_LEND_MINUTES = 3 * 24 * 60
MAX_WAVE = 30
EXTENSION_DAYS = 3
MAX_EXTENSIONS = 1
HOLD_DAYS = 3
MAX_HOLD_DAYS = 30
MAX_OPEN_HOLDS = 5
MAX_WAITS = 10
WAITLIST_HOURS = 24
WAITLIST_SECONDS = 60
REMINDER_HOUR = 10
MAX_LEAD_MINUTES = 30 * 24 * 60
MAX_ORDERS_PER_HOUR = 10_000
MIN_ACCEPT_MINUTES = 5
MAX_ACCEPT_MINUTES = 24 * 60
MAX_TRANSFER_DAYS = 30
MIN_SLOT_MINUTES = 15
MAX_SLOT_MINUTES = 240
MAX_SLOT_CAPACITY = 1_000
SLOT_DAYS = 7
MAX_SLOT_DAYS = 31
MAX_SLOTS_SHOWN = 4_000
SLOT_DAYS_KEPT = 30
MAX_HOURS_TRIED = 50
SWEEP_SECONDS = 5
SWEEP_BATCH = 1_000
INCIDENT_COUNT_SECONDS = 30
FORGET_SECONDS = 3600
STUCK_SECONDS = 600

# Jobs.
JOB_LEASE_SECONDS = 30
JOB_BATCH = 50
JOB_TURN_SECONDS = 2
JOB_MAX_ATTEMPTS = 12
JOB_BACKOFF_SECONDS = 2
JOB_BACKOFF_MAX_SECONDS = 3600

# Notices to people.
NOTICE_SECONDS = 2
NOTICE_BATCH = 50
NOTICE_AT_ONCE = 5
NOTICE_LEASE_SECONDS = 180
NOTICE_TURN_SECONDS = 120
NOTICE_TIMEOUT_SECONDS = 10
NOTICE_BACKOFF_SECONDS = 60
NOTICE_BACKOFF_MAX_SECONDS = 3600
NOTICE_GIVE_UP_HOURS = 24
NOTICE_LINE_MINUTES = 30
NOTICE_QUIET_FROM_HOUR = 21
NOTICE_QUIET_UNTIL_HOUR = 8
MAX_NOTICE_TEXT = 8_000
MAX_NOTICE_SHORT = 500
LINE_BASE_URL = "https://api.line.me"

# Webhooks. The waits after the first and each further failed attempt: about three days in all, then it is parked.
MAX_WEBHOOK_ENDPOINTS = 50
MAX_WEBHOOK_PATTERNS = 50
MAX_URL = 500
WEBHOOK_RETRY_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
WEBHOOK_RETRY_JITTER = 0.1
WEBHOOK_GIVE_UP_HOURS = 96
WEBHOOK_LEASE_SECONDS = 30
WEBHOOK_CONNECT_SECONDS = 3.0
WEBHOOK_TOTAL_SECONDS = 15.0
WEBHOOK_DRAIN_SECONDS = 2.0
WEBHOOK_LOOKUP_SECONDS = 2.0
WEBHOOK_REPLY_BYTES = 64 * 1024
WEBHOOK_PORTS = frozenset({80, 443, 8080, 8443})
WEBHOOK_IN_FLIGHT = 32
WEBHOOK_IN_FLIGHT_EACH = 2
WEBHOOK_IN_FLIGHT_FAILING = 16
WEBHOOK_FAILING_AFTER = 3
WEBHOOK_REST_AFTER = 5
WEBHOOK_REST_SECONDS = 5
WEBHOOK_REST_MAX_SECONDS = 300
WEBHOOK_RETRY_AFTER_MAX_SECONDS = 3600
WEBHOOK_SECRET_HOURS = 24
WEBHOOK_KEEP_DAYS = 30
WEBHOOK_BATCH = 500
WEBHOOK_REPLAY_MAX = 1_000
EVENT_SCAN = 5_000
STOCK_TOLD_SECONDS = 1
STOCK_TOLD_BATCH = 2_000

DEVELOPMENT_SECRET = "development-only-secret-not-for-production"  # noqa: S105  refused in production
ROOT = Path(__file__).resolve().parents[2]


class SettingsError(RuntimeError):
    """The environment does not allow the application to start; the message names the variable."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says. Built once, by `read()`."""

    app_env: str
    database_url: str
    redis_url: str | None
    secret_key: str
    public_url: str
    metrics_token: str | None
    lock_ms: int
    statement_ms: int
    pool_size: int
    smtp_url: str | None
    mail_from: str | None
    line_base_url: str
    line_channel_token: str | None
    line_channel_secret: str | None
    line_templates: str | None
    sms_url: str | None
    sms_token: str | None
    allow_private_webhooks: bool


def read(overrides: dict[str, str] | None = None) -> Settings:
    """Read the settings, or raise SettingsError naming what is missing.

    `overrides` stand in for environment variables (tests).
    """
    env = {**os.environ, **(overrides or {})}
    app_env = env.get("APP_ENV") or "development"
    if app_env not in {"development", "production", "test"}:
        msg = "APP_ENV must be development, production or test"
        raise SettingsError(msg)
    secret = env.get("SECRET_KEY") or ""
    public_url = (env.get("PUBLIC_URL") or "").rstrip("/")
    if app_env == "production":
        if len(secret) < 32 or secret == DEVELOPMENT_SECRET:
            msg = "SECRET_KEY must be set to at least 32 characters of your own"
            raise SettingsError(msg)
        if env.get("ALLOW_PRIVATE_WEBHOOKS") == "1":
            msg = "ALLOW_PRIVATE_WEBHOOKS is for tests and development: in production webhooks go to public addresses"
            raise SettingsError(msg)
        if not public_url:
            msg = "PUBLIC_URL must be set: links and QR pages need it"
            raise SettingsError(msg)
    port = env.get("PORT") or "8000"
    return Settings(
        app_env=app_env,
        database_url=env.get("DATABASE_URL") or f"sqlite:///{ROOT / 'var' / 'hitotsu.db'}",
        redis_url=env.get("REDIS_URL") or None,
        secret_key=secret or DEVELOPMENT_SECRET,
        public_url=public_url or f"http://127.0.0.1:{port}",
        metrics_token=env.get("METRICS_TOKEN") or None,
        lock_ms=int(env.get("LOCK_MS") or LOCK_MS),
        statement_ms=int(env.get("STATEMENT_MS") or STATEMENT_MS),
        pool_size=int(env.get("DB_POOL") or 8),
        smtp_url=env.get("SMTP_URL") or None,
        mail_from=env.get("MAIL_FROM") or None,
        line_base_url=(env.get("LINE_BASE_URL") or LINE_BASE_URL).rstrip("/"),
        line_channel_token=env.get("LINE_CHANNEL_TOKEN") or None,
        line_channel_secret=env.get("LINE_CHANNEL_SECRET") or None,
        line_templates=env.get("LINE_TEMPLATES") or None,
        sms_url=env.get("SMS_URL") or None,
        sms_token=env.get("SMS_TOKEN") or None,
        allow_private_webhooks=env.get("ALLOW_PRIVATE_WEBHOOKS") == "1",
    )
