"""The one maker of `application/problem+json` (RFC 9457): ours, marshmallow's, Flask's and the database's errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import structlog
from flask import Flask, Response
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from app.core import actor, db, errors, settings, texts
from app.core.errors import AppError, Invalid
from app.core.idempotency import Stored

log = structlog.get_logger("app.problems")
_HTTP: dict[int, type[AppError]] = {
    400: errors.BadRequest,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    409: errors.Conflict,
    412: errors.PreconditionFailed,
    413: errors.TooLarge,
    415: errors.UnsupportedMediaType,
    422: errors.Invalid,
    429: errors.TooManyRequests,
    503: errors.Unavailable,
}


def render(error: AppError) -> Stored:
    """The answer to an error, in the request's language."""
    facts = {key: value for key, value in error.facts.items() if key not in {"errors", "retry_after"}}
    title = texts.say("errors", error.code)
    document: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": title,
        "status": error.status,
        "detail": texts.say("errors", error.code, "_detail", **facts) or title,
        "request_id": actor.request_id(),
        **facts,
    }
    listed = error.facts.get("errors")
    if error.status == 422:
        document["errors"] = [_fault(fault) for fault in listed] if isinstance(listed, list) else []
    return Stored(status=error.status, body=orjson.dumps(document, default=str))


def _fault(fault: dict[str, Any]) -> dict[str, Any]:
    return {**fault, "message": message(fault["code"], **{k: v for k, v in fault.items() if k != "code"})}


def message(code: str, /, **facts: object) -> str:
    """What a fault's code says in the request's language: a field's own words, else those of the error."""
    said = texts.say("fields", code, "", **facts)
    if said != code:
        return said
    return texts.say("errors", code, "_detail", **facts) or texts.say("errors", code)


def respond(error: AppError) -> Response:
    """The Flask response of an error."""
    stored = render(error)
    response = Response(stored.body, stored.status, content_type=stored.content_type)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    retry_after = error.facts.get("retry_after")
    if retry_after is None and error.status in {429, 503}:
        retry_after = settings.RETRY_AFTER_SECONDS
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def faults_of(messages: Any, pointer: str = "") -> Iterator[dict[str, Any]]:
    """Marshmallow's nested messages as a flat list with JSON pointers."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            step = "" if key == "_schema" else "/" + str(key).replace("~", "~0").replace("/", "~1")
            yield from faults_of(inner, pointer + step)
    elif isinstance(messages, list):
        for inner in messages:
            yield from faults_of(inner, pointer)
    else:
        yield {"pointer": pointer, "code": str(messages)}


def from_validation(error: ValidationError) -> Invalid:
    """Every fault of a body at once."""
    return Invalid(errors=list(faults_of(error.messages)))


def install(app: Flask) -> None:
    """Let every error of the application leave as a problem."""

    def on_app_error(error: AppError) -> Response:
        return respond(error)

    def on_http(error: HTTPException) -> Any:
        if error.code is not None and error.code < 400:
            return error.get_response()
        kind = _HTTP.get(error.code or 500)
        if kind is None:
            kind = errors.BadRequest if (error.code or 500) < 500 else errors.Unavailable
        response = respond(kind())
        allow = getattr(error, "valid_methods", None)
        if allow:
            response.headers["Allow"] = ", ".join(sorted(allow))
        return response

    def on_anything(error: Exception) -> Response:
        if db.is_unavailable(error):
            log.warning("database_unavailable", error=type(error).__name__)
            return respond(errors.Unavailable(reason="database"))
        log.error("unexpected_error", exc_info=error)
        if app.config.get("PROPAGATE_BUGS"):
            raise error
        return respond(AppError())

    app.register_error_handler(AppError, on_app_error)
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(Exception, on_anything)
