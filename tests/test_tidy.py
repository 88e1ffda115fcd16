"""The product keeps the house rules, and the checker is proven on good and bad samples."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy import breaches, foreign

ROOT = Path(__file__).parent.parent
PRODUCT = ("app", "bopis", "pos_bridge")
MADE_ON_THE_SPOT = {"var", "node_modules", "dist", "__pycache__"}
LARGEST_TEXT = 1_000_000

DOC = '"""What it is."""\n'


def test_the_product_is_tidy() -> None:
    found = [
        breach
        for package in PRODUCT
        for path in sorted((ROOT / package).rglob("*.py"))
        for breach in breaches(path.relative_to(ROOT).as_posix(), path.read_text())
    ]
    assert found == []


def tracked() -> list[Path]:
    """Return what git tracks; in an unpacked archive, which has no git, everything that is not made on the spot."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if (ROOT / ".git").exists() and listing.returncode == 0:
        return [ROOT / name for name in listing.stdout.split("\0") if name]
    return list(walk(ROOT))


def walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if not path.is_dir():
            yield path
        elif path.name not in MADE_ON_THE_SPOT and (path.name == ".ci" or not path.name.startswith(".")):
            yield from walk(path)


def our_texts() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        name = path.relative_to(ROOT)
        if "data" in name.parts or not path.is_file() or path.stat().st_size > LARGEST_TEXT:
            continue  # real payloads have their own words
        try:
            yield name, path.read_text()
        except UnicodeDecodeError:  # a picture
            continue


def test_nothing_names_this_machine_or_a_package_index() -> None:
    assert [f"{name}: {word}" for name, text in our_texts() for word in foreign(text)] == []


def test_an_archive_is_read_like_a_clone() -> None:
    assert {ROOT / "Makefile", ROOT / ".ci/run", ROOT / "scripts/install"} <= set(walk(ROOT)) & set(tracked())


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_every_package_by_hash_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert re.findall(r"^ *-(?!-hash=)\S+", text, re.MULTILINE) == []
    entries = re.findall(r"^(\S+==\S+)(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert len(entries) == len(re.findall(r"^[^\s#]", text, re.MULTILINE)) > 20
    assert [name for name, rest in entries if "--hash=sha256:" not in rest] == []


def test_the_two_locks_agree() -> None:
    runtime, dev = (
        dict(re.findall(r"^(\S+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))
        for lock in ("requirements.lock", "requirements-dev.lock")
    )
    assert runtime.items() <= dev.items()


GOOD = [
    ("app/stock/claims.py", "from app import stores\nfrom app.stock.models import Claim\n"),
    ("app/stock/claims.py", "from app.core import clock\nfrom app.core.http import fail\n\nat = clock.now()\n"),
    ("app/stock/api.py", "from flask import Blueprint\nfrom marshmallow import Schema\n"),
    ("app/stock/api_levels.py", "from flask import Blueprint\n"),
    ("app/stock/level_schemas.py", "from marshmallow import Schema\n"),
    ("app/stock/__init__.py", "from flask import Flask\n\ndef register(app):\n    from app.stock import api\n"),
    ("app/core/http.py", "from flask import request\n"),
    ("app/core/jobs.py", "from rq import Queue\n"),
    ("app/core/db.py", "def use_case():\n    session.begin_nested()\n    session.commit()\n    session.rollback()\n"),
    ("app/core/clock.py", "now = datetime.now(UTC)\n"),
    ("app/factory.py", "from flask import Flask\nfrom app.stock.api import blueprint\n"),
    ("app/reports/stock.py", "from app.stock.models import Level\n"),
    ("bopis/pickups.py", "from app import orders, stock\nfrom bopis.models import Pickup\n"),
    ("app/stock/long.py", "def f():\n" + "    x = 1\n" * 59),
    ("app/stock/long.py", "x = 1\n" * 399),
]

BAD = [
    ("app/stock/long.py", "x = 1\n" * 400, "401: 401 lines; a file has at most 400"),
    ("app/stock/long.py", "def f():\n" + "    x = 1\n" * 60, "2: f has 61 lines; a function has at most 60"),
    (
        "app/stock/claims.py",
        "def f():\n    def g():\n        import json\n",
        "4: an import inside a function hides a circle; only register() may",
    ),
    (
        "app/stock/claims.py",
        "session.commit()\n",
        "2: .commit() belongs into app/core/db.py: one use case is one transaction",
    ),
    (
        "app/core/outbox.py",
        "db.session.rollback()\n",
        "2: .rollback() belongs into app/core/db.py: one use case is one transaction",
    ),
    (
        "bopis/pickups.py",
        "with s.begin_nested(): pass\n",
        "2: .begin_nested() belongs into app/core/db.py: one use case is one transaction",
    ),
    ("app/stock/claims.py", "datetime.now(UTC)\n", "2: datetime.now(): ask app.core.clock for the time"),
    (
        "app/core/ids.py",
        "datetime.datetime.utcnow()\n",
        "2: datetime.datetime.utcnow(): ask app.core.clock for the time",
    ),
    ("pos_bridge/days.py", "date.today()\n", "2: date.today(): ask app.core.clock for the time"),
    (
        "app/stock/claims.py",
        "import app.stores\n",
        "2: write 'from app.x import y' for app.stores: 'app' is the application's name",
    ),
    (
        "app/stock/claims.py",
        "from flask import g\n",
        "2: a use case knows no flask; that belongs into api.py, pages.py or schemas.py",
    ),
    (
        "app/stock/models.py",
        "import marshmallow.fields\n",
        "2: a use case knows no marshmallow; that belongs into api.py, pages.py or schemas.py",
    ),
    ("bopis/jobs.py", "import rq\n", "2: a use case knows no rq; that belongs into api.py, pages.py or schemas.py"),
    (
        "pos_bridge/sales.py",
        "from flask_babel import _\n",
        "2: a use case knows no flask_babel; that belongs into api.py, pages.py or schemas.py",
    ),
    (
        "app/orders/orders.py",
        "from app.stock.models import Level\n",
        "2: app.stock.models is private: enter by the front door, 'from app import …'",
    ),
    (
        "bopis/api.py",
        "from app.orders import schemas\n",
        "2: app.orders.schemas is private: enter by the front door, 'from app import …'",
    ),
    (
        "app/reports/stock.py",
        "from app.stock.api import view\n",
        "2: app.stock.api is private: enter by the front door, 'from app import …'",
    ),
]


@pytest.mark.parametrize(("path", "code"), GOOD)
def test_good_samples_pass(path: str, code: str) -> None:
    assert breaches(path, DOC + code) == []


@pytest.mark.parametrize(("path", "code", "breach"), BAD)
def test_bad_samples_are_found_where_they_are(path: str, code: str, breach: str) -> None:
    assert breaches(path, DOC + code) == [f"{path}:{breach}"]


def test_a_module_says_what_it_is() -> None:
    assert breaches("app/stock/claims.py", "x = 1\n") == [
        "app/stock/claims.py:1: no docstring: say what this module is"
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("see docs/wo" + "rk/plan and https://example.com/home/page", []),
        ("open '/wo" + "rk/main/x' or /home" + "/ann/x", ["/wo" + "rk/", "/home" + "/ann/"]),
        ("--index-url https://py" + "pi.org/simple", ["py" + "pi.org"]),
        ("file" + ":///opt/wheels", ["file" + ":///"]),
    ],
)
def test_foreign_words(text: str, words: list[str]) -> None:
    assert foreign(text) == words
