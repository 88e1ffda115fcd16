"""docs/states is what the tables say."""

from __future__ import annotations

from scripts import states


def test_every_table_has_its_page_and_every_page_its_table() -> None:
    assert set(states.tables()) == set(states.PAGES)
    assert {path.name for path in states.FOLDER.iterdir()} == {path.name for path in states.documents()}


def test_the_pages_are_current() -> None:
    for path, text in states.documents().items():
        assert path.read_text(encoding="utf-8") == text, f"run python -m scripts.states: {path.name}"


def test_a_pickups_page_shows_its_way() -> None:
    table = states.tables()["bopis.states.PICKUP"]
    page = states.page("bopis.states.PICKUP", table)
    assert "    [*] --> requested\n" in page
    assert "    ready --> collected: hand-over, settle\n" in page
    assert "    expired --> [*]\n" in page
    assert "| `collected` | `undo` → ready |" in page
