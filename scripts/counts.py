"""Write the test counts of the last ``make test`` into ``.ci/counts``, to be committed with the tests.

``python -m scripts.counts`` after adding tests, or after taking some away on purpose.
"""

from __future__ import annotations

from scripts.test import COUNTS, PARTS, RESULTS, tally

HEAD = "# Tests per part that ran when this was committed; fewer fails the build. Written by python -m scripts.counts\n"


def main() -> None:
    counts = {}
    for part in PARTS:
        report = RESULTS / f"{part.name}.xml"
        counts[part.name] = tally(report.read_text(), 0).passed if report.exists() else 0
    COUNTS.write_text(HEAD + "".join(f"{name} {count}\n" for name, count in counts.items()))
    print(COUNTS.read_text(), end="")


if __name__ == "__main__":
    main()
