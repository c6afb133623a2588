"""A stored stream cut into the frames it came in."""

from __future__ import annotations

import pytest

from khazad_mitm.wire import PROVIDERS, frames, recognise
from tests import wires

STREAMS = [
    (wire, parsed)
    for provider in PROVIDERS
    for wire in wires.of(provider.name)
    if (parsed := recognise(wire.request)) is not None and parsed.framing.is_stream
]


@pytest.mark.parametrize("media", sorted({parsed.framing.media for _, parsed in STREAMS}))
def test_a_stream_has_as_many_frames_as_its_provider_sent(media: str) -> None:
    cut = [
        frames.split(wire.body, parsed) for wire, parsed in STREAMS if parsed.framing.media == media
    ]

    assert all(map(all, cut))
    assert max(map(len, cut)) > 2
