from __future__ import annotations

import pytest
from redis.exceptions import NoScriptError

from khazad_mitm.store import scripts
from khazad_mitm.store.trips import call_each


def test_only_what_no_server_has_done_is_done_again():
    """Of the nodes of a cluster some have met a script and others have not."""
    program = call_each(scripts.FORGET, [((f"keys{n}",), (n,)) for n in range(3)], [("DEL", "x")])
    assert ["EVALSHA"] * 3 + ["DEL"] == [str(command[0]) for command in next(program)]
    again = program.send([1, NoScriptError("NOSCRIPT"), 1, 0])
    assert [("EVAL", scripts.FORGET.source, 1, "keys1", 1)] == again
    with pytest.raises(StopIteration) as end:
        program.send([1])
    assert [1, 1, 1] == end.value.value
