"""The edge inside a Python program: HTTP libraries' words translated to ours, nothing of mitmproxy.

`instance` is the class users hold, `singleton` the functions of `import khazad`, `per_process` its
cache before and after a fork. `patch` puts `transport` between clients and what sends their
requests. A `translation` knows one library's messages: `library` those of httpx and httpx2,
`requests_library` and `botocore_library` those of two that send through urllib3. `streams` and
`urllib3_bodies` read along.
"""
