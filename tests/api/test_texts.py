"""Words: two features cannot give one code different words."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from app.core import texts


def test_a_code_that_another_feature_words_otherwise_is_refused(app: Flask, tmp_path: Path) -> None:
    known = texts.entries("fields")["required"]
    (tmp_path / "texts.toml").write_text(f'[fields.required]\nja = "{known["ja"]}"\nen = "{known["en"]}"\n', "utf-8")
    texts.load(tmp_path)
    (tmp_path / "texts.toml").write_text('[fields.required]\nja = "x"\nen = "y"\n', "utf-8")
    with pytest.raises(texts.TextTaken, match="required"):
        texts.load(tmp_path)
    assert texts.entries("fields")["required"] == known
