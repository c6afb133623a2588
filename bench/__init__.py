"""Benchmarks: `make bench`, or `python -m bench`. How to read them: `README.md` beside this."""
