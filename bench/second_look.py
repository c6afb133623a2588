"""How long the second look takes for a candidate: `python -m bench.second_look`.

The question asked is read once; each candidate is read and compared, as in a lookup that looks at
ten neighbours. Prints the median and the 95th percentile over rounds, in processor time.
"""

from __future__ import annotations

import statistics
import time

from khazad_mitm.cache import verify
from khazad_mitm.cache.guards import reading

ROUNDS = 300
CANDIDATES = 10

SHORT = "How do I change the delivery address of order {} to {}?"
LONG = (
    "I have been a customer for years and never had a problem. This week I ordered a lamp for my"
    " desk and a chair, and the parcel was left with a neighbour whom I do not know. The number on"
    " the card is {}. How do I get it to {}?"
)
PLACES = ("Oslo", "the office", "my new flat", "a locker", "Bergen")


def per_candidate_ms(template: str) -> list[float]:
    """One figure for each round; no guard ends the look early, as for a candidate that passes."""
    measured = []
    for round_number in range(ROUNDS):
        asked = template.format(round_number, PLACES[0])
        # Spelled in other ways, so that no text was read before and every guard is asked.
        candidates = [
            asked.replace("ow do I", f"ow can I{' ' * (n + 2)}") + "?" * (round_number + 1)
            for n in range(CANDIDATES)
        ]
        began = time.thread_time()
        for candidate in candidates:
            verify.veto(candidate, asked)
        measured.append((time.thread_time() - began) * 1e3 / CANDIDATES)
    return measured


def main() -> None:
    for name, template in (("11 words", SHORT), ("55 words", LONG)):
        reading.read.cache_clear()
        figures = sorted(per_candidate_ms(template))
        print(
            f"{name}: {statistics.median(figures):.3f} ms a candidate,"
            f" 95th percentile {figures[int(len(figures) * 0.95)]:.3f} ms"
        )


if __name__ == "__main__":
    main()
