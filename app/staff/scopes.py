"""The scopes, and which route needs which."""

from __future__ import annotations

from app.core.http import OPERATIONS

SCOPES = {
    "stock:read": "levels, movements, the change feed, incidents",
    "stock:write": "adjustments, transfers, policies",
    "reservations:write": "claims on stock",
    "orders:read": "orders",
    "orders:write": "orders and their payments",
    "pickups:read": "pickups, notices to customers",
    "pickups:write": "the store's work on pickups; reads orders too",
    "returns:write": "returns; reads orders too",
    "pos:write": "tills' sales and files",
    "customers:read": "people",
    "customers:write": "people",
    "loyalty:write": "points and coupons",
    "catalog:write": "locations, SKUs, imports",
    "reports:read": "reports",
    "admin": "webhook endpoints, connections, keys, notice templates",
}


def scope_table() -> list[tuple[str, str, str]]:
    """(method, path, scope) of every route, sorted; `any` means any valid key."""
    return sorted((o.method, o.path, o.scope) for o in OPERATIONS)
