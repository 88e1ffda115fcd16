"""The application: the kernel and the two rooms that stand on it."""

from __future__ import annotations

from typing import Any

from flask import Flask

import bopis
import pos_bridge
from app import factory


def create_app(**config: Any) -> Flask:
    """For the command line and tests; starts no thread."""
    return factory.create_app(features=(bopis, pos_bridge), **config)


def serve() -> Flask:
    """For servers: the application, with the job thread where no Redis is configured."""
    return factory.start_jobs(create_app())
