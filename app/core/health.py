"""`/healthz`, `/readyz`, `/metrics`: for load balancers and Prometheus; they tell no detail."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, current_app, jsonify, request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.core import jobs, metrics, relay
from app.core.db import db
from app.core.errors import Unauthorized, Unavailable
from app.core.http import public
from app.core.schema import pending_migrations

bp = Blueprint("health", __name__)
LATE_JOB_SECONDS = 60


@bp.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
def readyz() -> Response:
    """The database answers and its schema is the code's; Redis or late jobs only degrade."""
    try:
        db.session.execute(text("SELECT 1"))
        if pending_migrations():
            raise Unavailable(reason="migrations")
        late, _ = jobs.backlog()
    except SQLAlchemyError as error:
        raise Unavailable(reason="database") from error
    degraded = []
    url = current_app.config["REDIS_URL"]
    if url and not relay.is_alive(url):
        degraded.append("redis")
    if late > LATE_JOB_SECONDS:
        degraded.append("jobs")
    return jsonify(status="ok", degraded=degraded)


@bp.get("/metrics")
def metrics_page() -> Response:
    """Prometheus text; behind a token where one is set, always so in production."""
    token = current_app.config["METRICS_TOKEN"]
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    if token and not hmac.compare_digest(given, token.encode()):
        raise Unauthorized
    if not token and current_app.config["APP_ENV"] == "production":
        raise Unauthorized
    age, parked = jobs.backlog()
    metrics.OLDEST_JOB.set(age)
    metrics.PARKED.set(parked)
    return Response(metrics.page(), content_type="text/plain; version=0.0.4; charset=utf-8")


for _name in ("healthz", "readyz", "metrics_page"):
    public(f"health.{_name}")
