"""Prints docs/scopes.md: which call needs which scope, read from the running code.

``python -m scripts.scopes > docs/scopes.md`` after a call was added or its scope changed; a test keeps it current.
"""

from __future__ import annotations

import sys

from app import staff
from wsgi import create_app

HEAD = """\
# Scopes

What an API key may do, as `.venv/bin/flask --app wsgi api-key create NAME --scope S…` gives it. Written by
`python -m scripts.scopes`; do not edit.

`x:write` includes `x:read`. `pickups:write` and `returns:write` include reading orders. *any* is any valid key. Without
a valid key the answer is 401, without the scope 403, both before the body or the object is looked at. `--channel` and
`--location` bound a key further: what lies outside its bounds looks absent (404).

| scope | for | calls |
|---|---|---:|
"""
CALLS = """
| method | path | scope |
|---|---|---|
"""


def document() -> str:
    """Return the page."""
    calls = staff.scope_table()
    used = [scope for _, _, scope in calls]
    scopes = [f"| `{scope}` | {meaning} | {used.count(scope)} |" for scope, meaning in staff.SCOPES.items()]
    rows = [f"| {method} | `{path}` | {_shown(scope)} |" for method, path, scope in calls]
    unused = "\nA scope with no calls yet belongs to calls of a later version.\n"
    return HEAD + "\n".join(scopes) + "\n" + unused + CALLS + "\n".join(rows) + "\n"


def _shown(scope: str) -> str:
    return "*any*" if scope == "any" else f"`{scope}`"


def main() -> None:
    create_app(APP_ENV="test", DATABASE_URL="sqlite://")
    sys.stdout.write(document())


if __name__ == "__main__":
    main()
