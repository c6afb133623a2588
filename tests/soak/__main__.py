from __future__ import annotations

import argparse
import sys

from tests.soak.run import play


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    report = play(args.seconds, args.seed)
    for line in report.lines():
        print(line)
    print("good" if report.is_good else "NOT good")
    return 0 if report.is_good else 1


sys.exit(main())
