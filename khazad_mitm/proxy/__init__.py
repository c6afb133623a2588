"""mitmproxy's words translated to ours. The only room that imports mitmproxy."""
