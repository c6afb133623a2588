"""mitmproxy's words translated to ours. The only room that imports mitmproxy."""

from khazad_mitm.proxy import few_addons

few_addons.install()
