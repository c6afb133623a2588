"""What `mitmdump -s` loads. It mends the import path and names the addon; nothing else is here.

While it loads a script mitmproxy puts the script's folder first on `sys.path`, where our rooms
would be found as `cache`, `store` ... and not as parts of `khazad_mitm`. Its parent replaces it.
"""

import sys
from pathlib import Path

_folder = Path(__file__).resolve().parent
sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != _folder]
if not any(entry and Path(entry).resolve() == _folder.parent for entry in sys.path):
    sys.path.insert(0, str(_folder.parent))

from khazad_mitm.proxy.addon import KhazadAddon  # noqa: E402

addons = [KhazadAddon()]
