"""OpenAPI 3.1, made from the operations, schemas and error classes."""

from __future__ import annotations

import re
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from app.core import errors, fields, settings
from app.core.http import OPERATIONS, Operation
from app.core.texts import LANGUAGES, entries

VERSION = "1.0"
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "`/problems/<code>`"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": ["string", "null"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "message"],
                "properties": {k: {"type": "string"} for k in ("pointer", "code", "message")},
            },
        },
    },
}
_KEY_HEADER = {
    "name": "Idempotency-Key", "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": settings.MAX_IDEMPOTENCY_KEY},
    "description": "The same key and body again answer the first reply, byte for byte, for 7 days.",
}  # fmt: skip


def _name(schema: Any) -> str:
    return str(schema.__name__ if isinstance(schema, type) else type(schema).__name__)


def _describe_text(_self: object, field: Any, **_: Any) -> dict[str, Any]:
    if isinstance(field, fields.Text):
        return {"minLength": field.low, "maxLength": field.high}
    return {}


def document() -> dict[str, Any]:
    """The whole document."""
    plugin = MarshmallowPlugin(schema_name_resolver=_name)
    spec = APISpec(
        title="Hitotsu", version=VERSION, openapi_version="3.1.0", plugins=[plugin],
        info={"description": "One stock pool for stores' tills and EC. Money is whole yen, time is RFC 3339 with an "
              "offset, errors are RFC 9457 problems in Japanese or English by Accept-Language."},
        servers=[{"url": "/"}], security=[{"key": []}],
    )  # fmt: skip
    converter: Any = plugin.converter
    converter.field_mapping[fields.Instant] = ("string", "date-time")
    converter.field_mapping[fields.Day] = ("string", "date")
    converter.field_mapping[fields.Identifier] = ("string", "uuid")
    converter.add_attribute_function(_describe_text)
    spec.components.security_scheme("key", {"type": "http", "scheme": "bearer"})
    spec.components.schema("Problem", _PROBLEM)
    for op in OPERATIONS:
        spec.path(
            path=re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", op.path),
            operations={op.method.lower(): _operation(op, converter)},
        )
    made: dict[str, Any] = spec.to_dict()
    made["x-problems"] = problem_list()
    return made


def _operation(op: Operation, converter: Any) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"<(?:\w+:)?(\w+)>", op.path)
    ]
    if op.query is not None:
        parameters += converter.schema2parameters(op.query(), location="query")
    changing = op.method == "POST" and not op.safe
    if changing:
        parameters.append({**_KEY_HEADER, "required": op.key == "required"})
    described: dict[str, Any] = {
        "operationId": op.endpoint.replace(".", "_"),
        "summary": op.summary,
        "tags": [op.tag],
        "parameters": parameters,
        "responses": _responses(op),
        "x-scope": op.scope,
    }
    if op.method == "POST":
        described["x-safe"] = op.safe
    if op.consumes != "application/json":
        described["requestBody"] = {"required": True, "content": _file_content(op)}
    elif op.body is not None:
        content: dict[str, Any] = {"schema": op.body}
        if op.example is not None:
            content["example"] = op.example
        described["requestBody"] = {"required": _is_needed(op.body), "content": {"application/json": content}}
    return described


def _is_needed(body: type[Schema]) -> bool:
    return any(field.required for field in body().fields.values())


def _file_content(op: Operation) -> dict[str, Any]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    form = {"schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}}
    return {**{kind.strip(): binary for kind in op.consumes.split(",")}, "multipart/form-data": form}


def _responses(op: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": op.reply} if op.reply is not None else {}
    answers: dict[str, Any] = {str(op.status): {"description": "Done", "content": {op.produces: content}}}
    for status, codes in _statuses(op).items():
        answers[str(status)] = {
            "description": ", ".join(sorted(codes)),
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    if op.method == "GET":
        answers["304"] = {"description": "Not modified"}
    if (op.method == "POST" and op.status == 201) or op.method == "PUT":
        for extra in {"200", "201"} - {str(op.status)}:
            answers[extra] = {"description": "Known already", "content": {"application/json": content}}
    return answers


def _statuses(op: Operation) -> dict[int, set[str]]:
    kinds: list[type[errors.AppError]] = [
        errors.BadRequest, errors.Unauthorized, errors.Forbidden, errors.NotFound, errors.Unavailable,
        errors.TooManyRequests, *op.problems,
    ]  # fmt: skip
    if op.body is not None or op.consumes != "application/json":
        kinds += [errors.TooLarge, errors.UnsupportedMediaType, errors.Invalid]
    if op.query is not None:
        kinds.append(errors.Invalid)
    if op.method == "POST" and not op.safe:
        kinds += [errors.RequestInFlight, errors.IdempotencyKeyReused]
        if op.key == "required":
            kinds.append(errors.IdempotencyKeyRequired)
    if op.method == "PUT":
        kinds.append(errors.PreconditionFailed)
    found: dict[int, set[str]] = {}
    for kind in kinds:
        found.setdefault(kind.status, set()).add(kind.code)
    return found


def problem_list() -> list[dict[str, Any]]:
    """Every problem: code, status, what it means, and its words."""
    words = entries("errors")
    return [
        {
            "code": code,
            "status": kind.status,
            "meaning": " ".join((kind.__doc__ or "").split()),
            **{lang: words.get(code, {}).get(lang, "") for lang in LANGUAGES},
        }
        for code, kind in sorted(errors.all_codes().items())
    ]
