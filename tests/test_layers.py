"""The layer picture holds, and its contracts bite: a small copy of the house shows each kind of breach."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> tuple[int, list[str]]:
    """Run the contracts of a folder; returns the exit code and the names of the broken ones."""
    done = subprocess.run(
        [LINT_IMPORTS, "--no-logo", "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, re.findall(r"^(.+) BROKEN", done.stdout, re.MULTILINE) or [done.stdout] * done.returncode


def test_the_product_keeps_its_layers() -> None:
    assert lint(ROOT) == (0, [])


def layers() -> list[str]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    kernel = next(contract for contract in contracts if contract["id"] == "kernel")
    return [name.strip(" ()") for line in kernel["layers"] for name in re.split(r"[:|]", line)]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Copy the contracts, with every package of the picture as an empty module beside them."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for package in ("app", "app/stock", "app/reports", "bopis", "demo", "pos_bridge"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    for name in layers():
        if not (tmp_path / "app" / name).exists():
            (tmp_path / "app" / f"{name}.py").touch()
    (tmp_path / "app/stock/models.py").touch()
    (tmp_path / "app/reports/stock.py").write_text("from app.stock.models import __name__\n")
    (tmp_path / "bopis/__init__.py").write_text("from app import orders\n")
    return tmp_path


def test_the_copy_is_sound(house: Path) -> None:
    assert lint(house) == (0, [])


KERNEL = "Inside the kernel, imports go down the picture only"
ROOMS = "The two rooms stand on the kernel and not on each other"
BUILDER = "Only wsgi.py builds the application"
STRANGER = "The demo chain is a stranger: it has the public API alone"
LEDGER = "The ledger's tables are private; reports may read them"


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("app/stores.py", "from app import catalog", [KERNEL]),
        ("app/core.py", "from app import stores", [KERNEL]),
        ("app/loyalty.py", "", [KERNEL]),  # a package that nobody has placed
        ("app/orders.py", "import bopis", [ROOMS]),
        ("bopis/__init__.py", "import pos_bridge", [ROOMS]),
        ("pos_bridge/__init__.py", "from app.factory import __name__", [BUILDER]),
        ("demo/__init__.py", "from app import stock", [STRANGER]),
        ("app/cli.py", "from app import factory", [KERNEL]),
        ("bopis/__init__.py", "from app.stock.models import __name__", [LEDGER]),
    ],
)
def test_a_breach_is_found(house: Path, file: str, line: str, broken: list[str]) -> None:
    (house / file).write_text(f"{line}\n")
    assert lint(house) == (1, broken)
