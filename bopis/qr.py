"""A QR code as an SVG: one path, no style, no image library."""

from __future__ import annotations

from itertools import groupby

from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

_QUIET = 4


def svg(text: str, title: str) -> str:
    """The code of `text` on white with its quiet zone; `title` is read aloud in its place."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=_QUIET)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    path = "".join(_runs(y, row) for y, row in enumerate(rows))
    size = len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img" shape-rendering="crispEdges">'
        f'<title>{title}</title><path fill="#fff" d="M0 0h{size}v{size}H0z"/><path fill="#000" d="{path}"/></svg>'
    )


def _runs(y: int, row: list[bool]) -> str:
    """The dark stretches of one row."""
    x, drawn = 0, ""
    for dark, cells in groupby(row):
        length = len(list(cells))
        if dark:
            drawn += f"M{x} {y}h{length}v1h-{length}z"
        x += length
    return drawn
