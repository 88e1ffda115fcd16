"""Every topic that the code emits is either told outside or kept inside: somebody has decided."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from app.core import settings
from app.webhooks import INTERNAL, PUBLIC
from app.webhooks.topics import is_pattern, wanted

HOMES = ("app", "bopis", "pos_bridge")
EMITTERS = {"emit": 0, "emit_many": 0, "touch": 1, "_tell": 1}
_TOPIC = re.compile(r"[a-z_]+\.([a-z_]+|\*)")

# The contract's own list; none of them may go.
CONTRACT = {
    "stock": "changed",
    "reservation": "created|released|expired|fulfilled",
    "order": "created|changed|shipped|cancelled|completed",
    "payment": "capture_requested|void_requested",
    "pickup": "requested|accepted|ready|arrived|collected|reopened|expired|cancelled|short",
    "return": "completed",
    "refund": "requested",
    "points": "changed",
    "coupon": "redeemed",
    "oversell": "opened|resolved",
}


def emitted() -> Iterator[tuple[str, str]]:
    """(where, topic) of every topic written in the code; a part that is computed stands as `*`."""
    for home in HOMES:
        for path in sorted((settings.ROOT / home).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                for text in _topics(node) if isinstance(node, ast.Call) else ():
                    yield f"{path.relative_to(settings.ROOT)}", text


def _topics(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    spots = [k.value for k in call.keywords if k.arg == "event"]
    if name in EMITTERS and len(call.args) > EMITTERS[name]:
        spots.append(call.args[EMITTERS[name]])
    for spot in spots:
        for part in ast.walk(spot):
            text = _text(part)
            if text is not None and _TOPIC.fullmatch(text):
                yield text


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "*" for v in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def test_the_search_finds_them() -> None:
    found = {topic for _, topic in emitted()}
    assert {"order.created", "pickup.ready", "reservation.*", "payment.*", "oversell.opened", "import.started"} <= found


def test_every_topic_is_public_or_internal() -> None:
    undecided = {
        (where, topic)
        for where, topic in emitted()
        if topic not in PUBLIC and topic.split(".")[0] not in INTERNAL and not _is_computed(topic)
    }
    assert undecided == set()


def _is_computed(topic: str) -> bool:
    return topic.endswith(".*") and any(one.startswith(topic[:-1]) for one in PUBLIC)


def test_a_noun_is_told_whole_or_not_at_all() -> None:
    assert {topic.split(".")[0] for topic in PUBLIC} & INTERNAL == set()


def test_the_contracts_events_are_public() -> None:
    names = [f"{noun}.{verb}" for noun, verbs in CONTRACT.items() for verb in verbs.split("|")]
    assert [topic for topic in names if topic not in PUBLIC] == []


def test_the_table_of_the_guide_is_the_codes() -> None:
    guide = (settings.ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", guide, re.MULTILINE)) == sorted(PUBLIC)


@pytest.mark.parametrize(
    ("patterns", "topic", "expected"),
    [
        (["*"], "pickup.ready", True),
        (["*"], "import.started", False),
        (["pickup.*"], "pickup.ready", True),
        (["pickup.*"], "payment.captured", False),
        (["order.created", "pickup.ready"], "pickup.ready", True),
        (["order.created"], "order.changed", False),
        ([], "order.created", False),
    ],
)
def test_a_pattern_asks_for_what_it_says(patterns: list[str], topic: str, *, expected: bool) -> None:
    assert wanted(topic, patterns) is expected


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("*", True), ("pickup.*", True), ("pickup.ready", True), ("stock.changed", True), ("pickup", False),
        ("pickup.", False), ("p*", False), ("*.ready", False), ("import.*", False), ("reshelve.done", False),
        (".*", False),
    ],
)  # fmt: skip
def test_what_can_be_asked_for(text: str, *, known: bool) -> None:
    assert is_pattern(text) is known
