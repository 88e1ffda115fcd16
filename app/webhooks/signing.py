"""Secrets of endpoints and the signature of Standard Webhooks. Secrets are sealed in the database and shown once."""

from __future__ import annotations

import base64
import datetime as dt
import os

from standardwebhooks import Webhook

from app.core import vault

from .models import WebhookEndpoint

PREFIX = "whsec_"
_SECRET_BYTES = 32
_PURPOSE = "webhook"


def new_secret() -> str:
    """A fresh secret."""
    return PREFIX + base64.b64encode(os.urandom(_SECRET_BYTES)).decode()


def seal(secret: str) -> bytes:
    """A secret as it is kept."""
    return vault.seal(_PURPOSE, secret.encode())


def secrets_of(endpoint: WebhookEndpoint, now: dt.datetime) -> list[str]:
    """The secrets that are valid now: the present one, and for a day the one before it."""
    sealed = [endpoint.secret]
    if endpoint.old_secret is not None and endpoint.old_secret_until is not None and now < endpoint.old_secret_until:
        sealed.append(endpoint.old_secret)
    return [vault.unseal(_PURPOSE, one).decode() for one in sealed]


def headers(message_id: str, at: dt.datetime, body: bytes, secrets: list[str]) -> dict[str, str]:
    """The headers of Standard Webhooks, with a signature for each secret."""
    signed = [Webhook(secret).sign(message_id, at, body.decode()) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signed),
    }
