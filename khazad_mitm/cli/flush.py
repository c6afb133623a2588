"""`khazad-mitm flush`: forget every stored answer of the namespace.

Through the running proxy where one answers, so that its counters start anew too; else in the
store itself.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from khazad_mitm.cli import flags, magic
from khazad_mitm.errors import ConfigError


def add_to(commands: Any) -> None:
    parser = commands.add_parser("flush", help="forget every stored answer of the namespace")
    magic.add_proxy(parser)
    flags.add_settings(parser)
    parser.set_defaults(command=flush)


def flush(args: argparse.Namespace) -> int:
    settings = flags.settings_of(args)
    try:
        flushed = magic.ask(args, "POST", "/flush")["flushed"]
    except ConfigError:
        if args.proxy:
            raise
        if settings.redis_url == "memory":
            raise
        from khazad_mitm.store.connect import Bounds, connect
        from khazad_mitm.store.seal_keys import seal_of

        stores = connect(
            settings.redis_url,
            settings.namespace,
            # Nobody waits behind this one: a big namespace may take its time.
            deadline_s=10.0,
            bounds=Bounds(settings.max_entries, settings.max_bytes),
            seal=seal_of(settings.encryption_key_file, settings.namespace),
        )
        flushed = stores.sync.flush()
        stores.sync.close()
    print(f"{flushed} answers forgotten", file=sys.stderr)
    return 0
