"""`python -m khazad_mitm.cli`."""

import sys

from khazad_mitm.cli import main

sys.exit(main())
