"""A transparent semantic cache and fixture recorder for LLM API calls.

`wire` speaks the providers' formats, `cache` tells the story of a lookup, `embed` and `store`
turn text into vectors and keep answers; `proxy` and `inprocess` are the two edges. `assembly`
joins them. The face for Python programs is `import khazad`.
"""

__version__ = "0.1.0"
