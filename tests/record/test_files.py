from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.messages import Headers, Request
from khazad_mitm.record import files
from khazad_mitm.record.bodies import Shelf
from khazad_mitm.record.interaction import Answered, Frame, Interaction, Label
from tests.record.calls import answer, chat, record
from tests.strategies import texts

LABEL = Label("openai-chat", "gpt-4o", "khazad-mitm 0.1.0", "2026-11-24")
targets = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20).map("/".__add__)
values = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\x00"), max_size=20)
bodies = st.binary(max_size=200) | texts.map(str.encode)


@given(
    targets,
    st.sampled_from(["example.com", "::1", "127.0.0.1"]),
    st.sampled_from([443, 80, 8080]),
    values,
    bodies,
    st.lists(bodies.filter(bool), max_size=3),
    st.booleans(),
)
def test_an_interaction_comes_back_as_it_was(
    target: str, host: str, port: int, value: str, body: bytes, frames: list[bytes], streams: bool
) -> None:
    headers = Headers([("x-a", value), ("x-a", "b"), ("x-c", "d")])
    request = Request("POST", "https", host, port, target, headers, body)
    kept = tuple(Frame(at, data) for at, data in enumerate(frames if streams else frames[:1]))
    interaction = Interaction(request, Answered(200, headers, kept, streams), LABEL)

    # Raises where it would not.
    assert files.text_of(interaction, Shelf("x"))


def test_a_file_is_made_to_be_read(tmp_path: Path) -> None:
    record(tmp_path, (chat("Dear all,\nwhat is\nthe refund?"), answer("30 days.")))
    (path,) = tmp_path.iterdir()

    text = path.read_text()

    assert text.startswith(
        "label:\n  provider: openai-chat\n  model: gpt-4o\n  host: api.openai.com\n"
    )
    assert (
        "        content: |-\n          Dear all,\n          what is\n          the refund?\n"
        in text
    )
    assert "          content: 30 days.\n" in text


def test_what_lay_beside_an_older_recording_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    request, label = Request.to("https://h/", b""), LABEL
    for body in (b"\x00\xff" * 1000, b"{}"):
        shelf = Shelf("x")
        said = Interaction(request, Answered(200, Headers(), (Frame(0, body),)), label)
        files.replace(path, files.text_of(said, shelf), shelf.files)

    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "[]", "label: {}\nrequest: {}\n"])
def test_what_is_no_recording_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)

    with pytest.raises(files.BadRecording, match=r"x.yaml:1: "):
        files.read(path)
