"""The edge: one decorator that says everything about a call, and the one path every call takes.

`Api.get/post/put/delete` name scope, body, query, reply, problems and whether an Idempotency-Key is needed; the OpenAPI
document, the route–scope table and the start-up check are read from the same list. A changing call runs inside one
transaction: permission, body, stored reply, view, audit row and reply are judged and written here, in this order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from flask import Blueprint, Response, g, request
from marshmallow import Schema, ValidationError

from app.core import actor, audit, etags, idempotency, problems, settings, uploads
from app.core.db import transact
from app.core.errors import (
    AppError,
    BadRequest,
    Forbidden,
    IdempotencyKeyRequired,
    TooLarge,
    Unauthorized,
    UnsupportedMediaType,
    invalid,
)
from app.core.fields import Code, NoFields
from app.core.idempotency import Stored

View = Callable[..., Any]
_JSON = "application/json"
_MAX_DEPTH = 32
_STORED_STATUSES = frozenset({404, 409, 422})
_authenticate: list[Callable[[str], actor.Actor | None]] = []


@dataclass(frozen=True, slots=True)
class Operation:
    """All there is to know about one call. `prepare` looks at the body before the transaction begins, and may wait.

    `guard` is given what the view is given, inside the transaction and outside the view's savepoint: a lock that it
    takes outlives a refusal and holds until COMMIT, so that what a refusal leaves behind is seen by the next caller.
    """

    method: str
    path: str
    endpoint: str
    scope: str
    summary: str
    tag: str
    body: type[Schema] | None = None
    query: type[Schema] | None = None
    reply: type[Schema] | None = None
    status: int = 200
    key: str = "optional"
    safe: bool = False
    consumes: str = _JSON
    produces: str = _JSON
    problems: Sequence[type[AppError]] = ()
    example: dict[str, Any] | None = None
    prepare: Callable[[dict[str, Any]], None] | None = None
    guard: Callable[..., None] | None = None


@dataclass(slots=True)
class Reply:
    """A view's answer where the status is not the usual one, or the audit row needs an object."""

    data: Any
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


_CODE = Code()
OPERATIONS: list[Operation] = []
PUBLIC_ENDPOINTS: set[str] = set()


def authenticate_with(finder: Callable[[str], actor.Actor | None]) -> None:
    """Set how a bearer key becomes an actor."""
    _authenticate[:] = [finder]


def public(endpoint: str) -> None:
    """Declare an endpoint that needs no key (a customer's page, health)."""
    PUBLIC_ENDPOINTS.add(endpoint)


class Api(Blueprint):
    """A feature's part of `/api/v1`."""

    def __init__(self, name: str, import_name: str) -> None:
        super().__init__(f"{name}_api", import_name, url_prefix="/api/v1")
        self.tag = name
        self.teardown_request(_close_upload)

    def operation(self, method: str, path: str, *, scope: str, **facts: Any) -> Callable[[View], View]:
        """Serve a view at `path` under everything the keywords say (see Operation)."""

        def keep(view: View) -> View:
            endpoint = f"{view.__name__}"
            known = Operation(
                method=method,
                path="/api/v1" + path,
                endpoint=f"{self.name}.{endpoint}",
                scope=scope,
                summary=(view.__doc__ or "").strip().splitlines()[0],
                tag=self.tag,
                **facts,
            )
            OPERATIONS[:] = [o for o in OPERATIONS if o.endpoint != known.endpoint]
            OPERATIONS.append(known)
            changing = method != "GET" and not known.safe
            runner = _command if changing else _query

            def run(**path_values: Any) -> Response:
                return runner(known, view, path_values)

            self.add_url_rule(path, endpoint, run, methods=[method])
            return view

        return keep


def permit(scope: str) -> actor.Actor:
    """The caller, or 401 without a valid key, or 403 without the scope."""
    header = request.headers.get("Authorization", "")
    kind, _, key = header.partition(" ")
    found = _authenticate[0](key.strip()) if kind.lower() == "bearer" and key.strip() else None
    if found is None:
        raise Unauthorized
    actor.act_as(found)
    if not found.has(scope):
        raise Forbidden(scope=scope)
    return found


def read_json(schema: type[Schema] | None) -> Any:
    """The body, checked against `schema`; 400, 413, 415 or 422 otherwise."""
    request.max_content_length = settings.MAX_BODY_BYTES
    raw = request.get_data(cache=True)
    if len(raw) > settings.MAX_BODY_BYTES:
        raise TooLarge(limit=settings.MAX_BODY_BYTES)
    if schema is None or (not raw and not _needs_body(schema)):
        return load(schema, {}) if schema else None
    mimetype = request.mimetype
    if mimetype != _JSON and not mimetype.endswith("+json"):
        raise UnsupportedMediaType(expected=_JSON)
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType(expected="charset=utf-8")
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadRequest(reason="json", position=error.pos) from error
    if _deeper(data, _MAX_DEPTH):
        raise BadRequest(reason="nesting", limit=_MAX_DEPTH)
    return load(schema, data)


def _deeper(data: Any, levels: int) -> bool:
    """Whether JSON nests deeper than that: what is kept of a body is written again, and writing knows a limit too."""
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else None
    if inner is None:
        return False
    return levels == 0 or any(_deeper(one, levels - 1) for one in inner if isinstance(one, (dict, list)))


def _needs_body(schema: type[Schema]) -> bool:
    return any(f.required for f in _schema(schema).fields.values())


def _schema(kind: type[Schema]) -> Schema:
    made: Schema | None = kind.__dict__.get("_made")
    if made is None:
        made = kind()
        kind._made = made  # type: ignore[attr-defined]  # noqa: SLF001  built once per class
    return made


def load(schema: type[Schema], data: Any) -> Any:
    """`data` checked against `schema`; every fault at once otherwise."""
    try:
        return _schema(schema).load(data)
    except ValidationError as error:
        raise problems.from_validation(error) from error


def _read_query(schema: type[Schema] | None) -> dict[str, Any]:
    known = _schema(schema).fields if schema else {}
    data: dict[str, Any] = {}
    for name in request.args:
        values = request.args.getlist(name)
        many = name in known and known[name].metadata.get("many")
        data[name] = values if many else values[-1]
    if schema is None:
        return {}
    loaded: dict[str, Any] = load(schema, data)
    return loaded


def _no_nul() -> None:
    if "\x00" in request.path or any("\x00" in v for _, v in request.args.items(multi=True)):
        raise BadRequest(reason="nul-byte")


def _dump(op: Operation, result: Any) -> Stored:
    reply = result if isinstance(result, Reply) else Reply(result)
    g.reply_headers = reply.headers
    data = _schema(op.reply).dump(reply.data) if op.reply is not None else reply.data
    return Stored(status=reply.status or op.status, body=orjson.dumps(data))


def _query(op: Operation, view: View, path_values: dict[str, Any]) -> Response:
    permit(op.scope)
    _no_nul()
    args = [read_json(op.body)] if op.body is not None else []
    if op.query is not None or op.method == "GET":
        args.append(_read_query(op.query))
    result = view(*args, **path_values) if op.query or op.body else view(**path_values)
    if isinstance(result, Response):
        return result
    stored = _dump(op, result)
    tag = etags.of(stored.body)
    response = Response(status=304) if tag in request.if_none_match else _respond(stored)
    if op.method == "GET":
        response.set_etag(tag)
    return response


def _read_body(op: Operation, *, needed: bool) -> tuple[list[Any], bytes]:
    """What the view is given, and what stands for it where two requests are compared: of a file its digest."""
    if op.consumes == _JSON:
        body = read_json(op.body or NoFields)
        return [body] if op.body is not None else [], request.get_data(cache=True) if needed else b""
    upload = uploads.receive(op.consumes)
    g.upload = upload
    args = [upload, *([_read_query(op.query)] if op.query is not None else [])]
    return args, upload.sha256.encode() + b"?" + request.query_string


def _close_upload(_error: BaseException | None) -> None:
    upload = g.pop("upload", None)
    if upload is not None:
        upload.close()


def _command(op: Operation, view: View, path_values: dict[str, Any]) -> Response:
    caller = permit(op.scope)
    _no_nul()
    header = request.headers.get("Idempotency-Key") if op.method == "POST" else None
    if header is None and op.key == "required":
        raise IdempotencyKeyRequired
    key = idempotency.check_key(header) if header is not None else None
    args, body = _read_body(op, needed=key is not None)
    if op.prepare is not None:
        op.prepare(*args)
    mark = idempotency.fingerprint(request.method, request.path, body) if key is not None else ""

    def before() -> Stored | None:
        earlier = idempotency.find(caller.id, key, mark) if key is not None else None
        if earlier is None and op.guard is not None:
            op.guard(*args, **path_values)
        return earlier

    def settle(outcome: Stored | AppError) -> None:
        refusal = outcome if isinstance(outcome, AppError) else None
        answer = problems.render(outcome) if isinstance(outcome, AppError) else outcome
        if key is not None and (refusal is None or refusal.status in _STORED_STATUSES):
            idempotency.keep(caller.id, key, mark, answer)
        audit.record(
            op.endpoint,
            outcome=refusal.code if refusal is not None else "done",
            location=g.get("audit_location"),
            object_type=g.get("audit_type"),
            object_id=g.get("audit_id") or next(iter(map(str, path_values.values())), None),
        )

    tries = itertools.count()

    def run() -> Stored:
        # A view may take its body apart, so a transaction that starts again reads it anew.
        again = next(tries) and op.consumes == "application/json"
        return _dump(op, view(*(_read_body(op, needed=False)[0] if again else args), **path_values))

    stored = transact(run, before=before, settle=settle)
    response = _respond(stored)
    if stored.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _respond(stored: Stored) -> Response:
    response = Response(stored.body, stored.status, content_type=stored.content_type)
    if not stored.replayed:
        response.headers.update(g.get("reply_headers", {}))
    return response


def path_code(text: str, pointer: str = "/code") -> str:
    """A code that names something that may be new, from the address or a sheet; 422 at `pointer` otherwise."""
    try:
        return str(_CODE.deserialize(text))
    except ValidationError as error:
        raise invalid(pointer, str(error.messages[0])) from error


def about(object_type: str, object_id: str, location: str | None = None) -> None:
    """Name the object of this command for its audit row."""
    g.audit_type, g.audit_id, g.audit_location = object_type, object_id, location
