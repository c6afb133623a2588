"""The edge inside a Python program: httpx's words translated to ours, and nothing of mitmproxy.

`instance` is the class users hold, `singleton` the functions of `import khazad`. `patch` puts
`transport` between every client of httpx and httpx2 and its own transport; `library` translates
messages; `streams` reads along.
"""
