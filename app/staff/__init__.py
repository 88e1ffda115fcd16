"""Who may do what: API clients with scopes and bounds, and the published route–scope table.

Front door: `create_client`, `rotate_client`, `revoke_client`, `list_clients`, `SCOPES`, `scope_table`.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app.core import http, texts

from .clients import create_client, find_actor, list_clients, revoke_client, rotate_client
from .errors import ClientExists, UnknownClient, UnknownScope
from .scopes import SCOPES, scope_table

__all__ = [
    "SCOPES",
    "ClientExists",
    "UnknownClient",
    "UnknownScope",
    "create_client",
    "find_actor",
    "list_clients",
    "register",
    "revoke_client",
    "rotate_client",
    "scope_table",
]


def register(app: Flask) -> None:
    """Let bearer keys become actors."""
    texts.load(Path(__file__).parent)
    http.authenticate_with(find_actor)
