"""Structured logs: one JSON line per request with its id and route template; never an address, token or name."""

from __future__ import annotations

import logging
import re
import time

import structlog
from flask import Flask, Response, g, request

from app.core import actor, metrics
from app.core.ids import new_id

_ACCEPTED = re.compile(r"[A-Za-z0-9._\-]{1,64}")
log = structlog.get_logger("app.http")


def configure(*, development: bool) -> None:
    """Set up structlog once for the process."""
    renderer = structlog.dev.ConsoleRenderer(colors=False) if development else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if development else logging.INFO),
        cache_logger_on_first_use=False,
    )


def install(app: Flask) -> None:
    """Give every request an id, a log line and a measurement."""

    def start() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.started = time.perf_counter()
        actor.set_request_id(given if _ACCEPTED.fullmatch(given) else new_id())
        actor.act_as(actor.SYSTEM)

    def finish(response: Response) -> Response:
        seconds = time.perf_counter() - g.get("started", time.perf_counter())
        route = request.url_rule.rule if request.url_rule else "unmatched"
        rid = actor.request_id() or ""
        response.headers["X-Request-Id"] = rid
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        metrics.request_done(request.method, route, response.status_code, seconds)
        log.info(
            "request",
            method=request.method,
            route=route,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
            request_id=rid,
            client=actor.current().id,
        )
        return response

    app.before_request(start)
    app.after_request(finish)
