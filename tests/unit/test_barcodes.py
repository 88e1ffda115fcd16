from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalog.barcodes import BarcodeInvalid, check, is_in_store, normalise, with_check_digit

VECTORS = json.loads((Path(__file__).parents[1] / "data/vectors/money.json").read_text())
CHECK_DIGITS = [vector for vector in VECTORS if vector["kind"] == "check_digit"]


@pytest.mark.parametrize("vector", CHECK_DIGITS, ids=lambda vector: vector["id"])
def test_check_digit_vectors(vector: dict[str, Any]) -> None:
    code = vector["expect"]["code"]
    assert with_check_digit(vector["given"]["body"]) == code
    assert check(code) == code


def test_every_check_digit_vector_is_run() -> None:
    assert len(CHECK_DIGITS) == 6


def test_one_product_has_one_form_for_matching() -> None:
    assert normalise("4901234567894") == "04901234567894"
    assert normalise("036000291452") == normalise("0036000291452") == "00036000291452"
    assert normalise("45123450") == "00000045123450"
    assert normalise("14901234567891") == "14901234567891"


@pytest.mark.parametrize("typed", [" 4901234567894\r\n", "４９０１２３４５６７８９４", "490-1234-56789-4"])
def test_a_code_is_read_however_it_was_typed(typed: str) -> None:
    assert check(typed) == "4901234567894"


@pytest.mark.parametrize("code", ["4901234567890", "4091234567894", "45123451", "14901234567890"])
def test_a_wrong_check_digit_is_refused(code: str) -> None:
    with pytest.raises(BarcodeInvalid) as refused:
        check(code)
    assert (refused.value.code, refused.value.barcode) == ("barcode-check-digit", code)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "0",
        "123456789",
        "490123456789012",
        "49012345678A4",
        "4.90123E+12",
        "٤٩٠١٢٣٤٥٦٧٨٩٤",
        "4901234567894\0",
        "0" * 13,
    ],
)
def test_what_is_no_code_is_refused(code: str) -> None:
    for function in (check, normalise, is_in_store):
        with pytest.raises(BarcodeInvalid) as refused:
            function(code)
        assert (refused.value.code, refused.value.barcode) == ("barcode-format", code)


@pytest.mark.parametrize("body", ["", "0000000", "123456", "12345678", "1234567890123456", "490123456A89"])
def test_a_body_has_a_fixed_length(body: str) -> None:
    with pytest.raises(BarcodeInvalid) as refused:
        with_check_digit(body)
    assert refused.value.code == "barcode-format"


@pytest.mark.parametrize(
    ("code", "in_store"),
    [
        ("2000000000015", True),
        ("2912345678907", True),
        ("0212345309803", True),
        ("2212345009800", True),
        ("20123451", True),
        ("212345678909", True),  # a UPC beginning with 2 is the EAN-13 02...
        ("4901234567894", False),
        ("3012345678900", False),
        ("1912345678902", False),
        ("45123450", False),
        ("14901234567891", False),
    ],
)
def test_in_store_codes(code: str, *, in_store: bool) -> None:
    assert is_in_store(with_check_digit(code[:-1])) is in_store


@given(st.sampled_from([7, 11, 12, 13]).flatmap(lambda n: st.text("0123456789", min_size=n, max_size=n)))
def test_any_single_wrong_digit_is_seen(body: str) -> None:
    if not body.strip("0"):
        return
    code = with_check_digit(body)
    assert normalise(code) == code.zfill(14)
    for place, digit in enumerate(code):
        wrong = code[:place] + str((int(digit) + 1) % 10) + code[place + 1 :]
        with pytest.raises(BarcodeInvalid):
            check(wrong)
