"""Beside the original `khazad`: `make bench-peer`. How to read it: `docs/benchmarks.md`."""
