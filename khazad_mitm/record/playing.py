"""How a recording is played: at what pace, and with which faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from khazad_mitm.cache.pace import Pace, waits
from khazad_mitm.fronts import Played
from khazad_mitm.record.cassette import Recording
from khazad_mitm.record.faults import Fault


def played(recording: Recording, faults: Sequence[Fault] = (), pace: Pace = "off") -> Played:
    """`pace`: as `replay_pace`, of streams; a fault's `timing` goes before it, and is of any
    answer: what precedes the first frame is then waited for before anything is said."""
    answer = recording.interaction.answer
    delay_s = sum(fault.delay_ms for fault in faults) / 1000
    factors = [fault.timing for fault in faults if fault.timing is not None]
    reply = recording.reply()
    if factors:
        taken = tuple(wait * factors[0] for wait in _waits("recorded", recording))
        delay_s += sum(taken[:1])
        reply = replace(reply, waits=(0.0, *taken[1:]) if any(taken[1:]) else ())
    elif answer.is_stream:
        reply = replace(reply, waits=_waits(pace, recording))
    cut = min((fault.cut_after for fault in faults if fault.cut_after is not None), default=None)
    if any(fault.reset for fault in faults):
        reply = replace(reply, resets_after=cut or 0)
    elif cut is not None:
        reply = replace(reply, frames=reply.frames[:cut], waits=reply.waits[:cut])
    return Played(reply, answer.is_stream, delay_s)


def _waits(pace: Pace, recording: Recording) -> tuple[float, ...]:
    frames = recording.interaction.answer.frames
    sizes = accumulate(len(frame.data) for frame in frames)
    marks = [(size, frame.at_ms) for size, frame in zip(sizes, frames, strict=True)]
    return waits(pace, [frame.data for frame in frames], marks)
