"""BOPIS: reservations of a store's stock, and pickups: the store's work item for an order or a hold.

Reserve, wait, pick, put ready, hand over by QR code or PIN, undo, cancel, expire with the way back to the shelf; what
customers choose and are told. The claim is in `stock`, the money in `orders`, slots in `stores`, sending in
`notifications`; a pickup moves under its order's lock and its own. Registered with `orders` as the fulfilment method
`pickup`.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app import orders
from app.core import http, settings, texts
from app.core.jobs import every

__all__ = ["register"]


def register(app: Flask) -> None:
    """Serve reservations, pickups and the customer's page."""
    from . import (  # noqa: F401  tables, calls
        api,
        checks,
        choosing_api,
        customer_api,
        jobs,
        models,
        notices,
        pages,
        rescue,
        rescue_api,
        reservations_api,
        waiting,
        waiting_api,
        waves_api,
        whose,
    )
    from .method import PickupMethod

    texts.load(Path(__file__).parent)
    app.register_blueprint(reservations_api.bp)
    app.register_blueprint(api.bp)
    app.register_blueprint(waiting_api.bp)
    app.register_blueprint(waves_api.bp)
    app.register_blueprint(rescue_api.bp)
    app.register_blueprint(pages.bp)
    for endpoint in pages.ENDPOINTS:
        http.public(endpoint)
    every(settings.SWEEP_SECONDS, "bopis.expire")(jobs.expire_due)
    every(settings.WATCH_SECONDS, "bopis.escalate")(jobs.escalate_due)
    every(settings.WATCH_SECONDS, "bopis.late")(jobs.tell_late)
    every(settings.WATCH_SECONDS, "bopis.decide")(jobs.decide_due)
    every(settings.WAITLIST_SECONDS, "bopis.waiting")(waiting.sweep)
    notices.register()
    orders.offer("pickup", PickupMethod())
    checks.register()
    rescue.register()
