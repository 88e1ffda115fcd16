"""The API's own description: OpenAPI 3.1 at `/api/openapi.json`, a page for people at `/api/docs`, one per problem.

Everything is read from the operations, schemas and error classes of the running code.
Front door: `document`.
"""

from __future__ import annotations

from flask import Flask

from .openapi import document

__all__ = ["document", "register"]


def register(app: Flask) -> None:
    """Serve the description."""
    from . import pages

    app.register_blueprint(pages.bp)
