"""mitmproxy is imported here first: its ldap3 uses old names of pyasn1, which warns about them."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import mitmproxy.addons  # noqa: F401
