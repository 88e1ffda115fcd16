"""Entity tags: a hash of what GET would answer, checked under lock before a PUT."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from flask import has_request_context, request
from marshmallow import Schema

from app.core.errors import PreconditionFailed


def of(body: bytes) -> str:
    """The tag of a representation."""
    return hashlib.sha256(body).hexdigest()[:24]


def require_match(schema: type[Schema], present: Any) -> None:
    """Raise PreconditionFailed when If-Match is sent and names another version. `present` is None when absent."""
    if not has_request_context() or not request.headers.get("If-Match"):
        return
    wanted = request.if_match
    if present is None:
        raise PreconditionFailed
    if wanted.star_tag:
        return
    if not wanted.contains(of(orjson.dumps(schema().dump(present)))):
        raise PreconditionFailed
