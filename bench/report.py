"""The table that `make bench` prints and the documents show."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any

from app.core.settings import ROOT

NAMES = {
    "spread": "reservations over 20,000 SKU-locations",
    "hot": "reservations of one hot SKU",
    "availability": "availability of one SKU over 20 stores",
    "till": "till sales of three lines",
}


def table(results: Mapping[str, Any], memory: Sequence[float], verdict: str, rounds: int, seconds: int) -> str:
    """Markdown."""
    lines = [
        "| what | product /s | pgbench /s | ratio | p50 ms | p99 ms | max ms |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for scenario, f in results.items():
        p50, p99 = sorted(f.p50)[len(f.p50) // 2], sorted(f.p99)[len(f.p99) // 2]
        lines.append(
            f"| {NAMES[scenario]} | {f.rate:,.0f} | {f.raw_rate:,.0f} | {f.rate / f.raw_rate:.2f} "
            f"| {p50:.0f} | {p99:.0f} | {f.worst:.0f} |"
        )
    shown = ", ".join(f"{m:.0f}" for m in memory)
    lines.append("")
    lines.append(
        f"Medians of {rounds} rounds of {seconds} s, product and pgbench in turn on one durable PostgreSQL cluster; "
        f"2 workers × 4 threads, 16 connections; pgbench 8 clients. Memory per worker: {shown} MiB. "
        f"Python {platform.python_version()}. Invariants after the run: {verdict}."
    )
    return "\n".join(lines)


def write(text: str) -> None:
    """Put the table between the marks of docs/benchmarks.md and of the README."""
    for name in ("docs/benchmarks.md", "README.md"):
        path = ROOT / name
        before, _, rest = path.read_text("utf-8").partition("<!-- bench -->\n")
        _, _, after = rest.partition("<!-- /bench -->")
        path.write_text(f"{before}<!-- bench -->\n{text}\n<!-- /bench -->{after}", "utf-8")
