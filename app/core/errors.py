"""Errors are classes with a code and facts, never sentences; words are made at the edge, in the caller's language.

A subclass names its `code` and inherits its status class. `record` is an optional function that the outermost
use case calls after rolling the body back and before committing: what a refusal leaves behind (a counted PIN try,
a refused scan) is written there.
"""

from __future__ import annotations

from collections.abc import Callable

_codes: dict[str, type[AppError]] = {}


class AppError(Exception):
    """A refusal the caller can understand: a stable code, an HTTP status, and the facts."""

    code = "internal"
    status = 500

    def __init__(self, *, record: Callable[[], None] | None = None, **facts: object) -> None:
        super().__init__(self.code)
        self.facts = facts
        self.record = record

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "code" in cls.__dict__:
            _codes[cls.code] = cls


def all_codes() -> dict[str, type[AppError]]:
    """Every error class of the running application by code; texts and API documents are checked against it."""
    return dict(_codes)


class BadRequest(AppError):
    """The request cannot be read at all."""

    code, status = "bad-request", 400


class Unauthorized(AppError):
    """No valid key came with the request."""

    code, status = "unauthorized", 401


class Forbidden(AppError):
    """The key is valid and lacks the scope."""

    code, status = "forbidden", 403


class NotFound(AppError):
    """There is no such thing, or it is outside the caller's bounds: the two look alike."""

    code, status = "not-found", 404


class MethodNotAllowed(AppError):
    """The address exists, the method does not."""

    code, status = "method-not-allowed", 405


class Conflict(AppError):
    """What is asked for does not fit the present state."""

    code, status = "conflict", 409


class PreconditionFailed(AppError):
    """`If-Match` names an older version than the stored one."""

    code, status = "precondition-failed", 412


class TooLarge(AppError):
    """The body is over the limit."""

    code, status = "body-too-large", 413


class UnsupportedMediaType(AppError):
    """The content type is not one this address reads."""

    code, status = "unsupported-media-type", 415


class Invalid(AppError):
    """The body is readable and not acceptable; `errors` holds pointer, code and message of each fault."""

    code, status = "invalid", 422


class TooManyRequests(AppError):
    """The caller asks too often."""

    code, status = "too-many-requests", 429


class Unavailable(AppError):
    """The database did not answer in time; nothing happened, try again."""

    code, status = "unavailable", 503


class RequestInFlight(Conflict):
    """The same idempotency key is being worked on right now."""

    code = "request-in-flight"


class IdempotencyKeyRequired(BadRequest):
    """This call changes something and needs an Idempotency-Key."""

    code = "idempotency-key-required"


class IdempotencyKeyReused(Invalid):
    """The key was used before with another body."""

    code = "idempotency-key-reused"


def invalid(pointer: str, code: str, **facts: object) -> Invalid:
    """One field is wrong: `pointer` is its JSON pointer, `code` a message id of `texts`."""
    return Invalid(errors=[{"pointer": pointer, "code": code, **facts}])
