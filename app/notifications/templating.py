"""Templates that shops may edit: values, conditions and lists over the facts of a kind, and nothing else.

The language is Jinja's, cut down to what a letter needs. There are no calls, no arithmetic and no assignments, so a
template can neither reach into the program nor run long; a fact that is missing is an error and never an empty space.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from app.core import settings

PARTS: Final = ("subject", "text", "short")
_NODES: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Const, nodes.If, nodes.For,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Filter, nodes.CondExpr,
)  # fmt: skip
_FILTERS: Final = frozenset({"yen", "join", "length", "first"})
_LOOP: Final = {"first": True, "last": False, "index": 1}
_MAX_LOOPS: Final = 2


class TemplateBroken(Exception):
    """A template cannot be read, or uses what its kind does not know. `part` is the field, `code` the fault."""

    def __init__(self, part: str, code: str, word: str = "") -> None:
        super().__init__(f"{part}: {code} {word}".strip())
        self.part, self.code, self.word = part, code, word


@dataclass(frozen=True, slots=True)
class Words:
    """A notice, or its templates: the mail's subject and text, and the short text of LINE and SMS."""

    subject: str
    text: str
    short: str


def _yen(amount: int) -> str:
    return f"{amount:,}"


def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, extensions=()
    )
    made.globals.clear()
    made.filters["yen"] = _yen
    return made


_ENV: Final = _environment()


@lru_cache(maxsize=512)
def _compiled(source: str) -> Template:
    return _ENV.from_string(source)


def render(words: Words, facts: Mapping[str, Any]) -> Words:
    """The notice, or TemplateBroken. The subject is one line whatever the facts hold."""
    subject, text, short = (_render(part, getattr(words, part), facts) for part in PARTS)
    return Words(" ".join(subject.split()), text.strip() + "\n", short.strip())


def _render(part: str, source: str, facts: Mapping[str, Any]) -> str:
    try:
        made = _compiled(source).render(facts)
    except (TemplateError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise TemplateBroken(part, "template-broken") from error
    if len(made) > settings.MAX_BODY_BYTES:
        raise TemplateBroken(part, "length")
    return made


def check(words: Words, samples: tuple[Mapping[str, Any], ...]) -> None:
    """Raise TemplateBroken unless every part can be read and rendered with each of the samples.

    Facts are looked for in every branch, also in those that no sample takes.
    """
    for part in PARTS:
        try:
            tree = _ENV.parse(getattr(words, part))
        except TemplateError as error:
            raise TemplateBroken(part, "template-syntax") from error
        _check_nodes(part, tree)
        for name in _unknown(tree, samples[0], 0):
            raise TemplateBroken(part, "template-fact", name)
    for sample in samples:
        made = render(words, sample)
        for part in PARTS:
            if not getattr(made, part).strip():
                raise TemplateBroken(part, "template-empty")


def _check_nodes(part: str, tree: nodes.Node) -> None:
    for node in tree.find_all(nodes.Node):
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            raise TemplateBroken(part, "template-word", node.name)
        if not isinstance(node, _NODES):
            raise TemplateBroken(part, "template-word", type(node).__name__.lower())


def _unknown(node: nodes.Node, known: Mapping[str, Any], loops: int) -> Iterator[str]:
    """The facts a template asks for that are not among the known ones, wherever they stand."""
    if isinstance(node, nodes.For):
        if loops == _MAX_LOOPS or node.recursive or not isinstance(node.target, nodes.Name):
            yield "for"
            return
        yield from _unknown(node.iter, known, loops)
        items = _value(node.iter, known)
        inner = {**known, node.target.name: items[0] if isinstance(items, list) and items else "", "loop": _LOOP}
        for part in (*node.body, *node.else_, *([node.test] if node.test else [])):
            yield from _unknown(part, inner, loops + 1)
        return
    if isinstance(node, nodes.Getattr):
        path = _path(node)
        if path is None or _value(node, known) is None:
            yield path or node.attr
        return
    if isinstance(node, nodes.Name) and node.name not in known:
        yield node.name
    for child in node.iter_child_nodes():
        yield from _unknown(child, known, loops)


def _path(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Name):
        return str(node.name)
    if isinstance(node, nodes.Getattr):
        before = _path(node.node)
        return f"{before}.{node.attr}" if before else None
    return None


def _value(node: nodes.Node, known: Mapping[str, Any]) -> Any:
    """What a name or `store.name` stands for; None where it stands for nothing."""
    if isinstance(node, nodes.Name):
        return known.get(node.name)
    if isinstance(node, nodes.Getattr):
        inner = _value(node.node, known)
        return inner.get(node.attr) if isinstance(inner, Mapping) else None
    return None
