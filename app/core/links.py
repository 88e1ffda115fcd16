"""Addresses that leave the house: links in answers, mails and on pages begin with PUBLIC_URL."""

from __future__ import annotations

from flask import current_app


def public(path: str) -> str:
    """The full address of a path of ours."""
    return f"{current_app.config['PUBLIC_URL']}{path}"
