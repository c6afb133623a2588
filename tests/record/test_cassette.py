from __future__ import annotations

import re
from pathlib import Path

import pytest

from khazad_mitm.errors import ConfigError
from khazad_mitm.record.cassette import Cassette, endpoint, recordings_in
from tests.record.calls import answer, chat, names, record


def test_names_say_what_is_asked_and_in_which_order(tmp_path: Path) -> None:
    record(tmp_path, (chat(), answer("a")), (chat(), answer("b")), (chat("🦊"), answer("c")))

    written = names(tmp_path)
    assert 3 == len(written)
    assert any(re.fullmatch(r"openai-chat-[0-9a-f]{8}\.yaml", name) for name in written)
    first = next(name for name in written if name.endswith("-2.yaml"))
    assert re.fullmatch(r"openai-chat-what-is-the-refund-period-[0-9a-f]{8}-2\.yaml", first)
    assert first.replace("-2.yaml", ".yaml") in written


def test_they_are_played_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    record(tmp_path, *((chat(), answer(str(number))) for number in range(12)))

    assert [answer(str(number)) for number in range(12)] == [
        recording.interaction.answer.body for recording in Cassette.open(tmp_path).recordings
    ]


def test_what_people_rename_or_edit_is_found_by_what_is_in_it(tmp_path: Path) -> None:
    record(tmp_path, (chat("hello"), answer("a")))
    (path,) = tmp_path.iterdir()
    path.rename(tmp_path / "greeting.yaml")
    renamed = tmp_path / "greeting.yaml"
    renamed.write_text(renamed.read_text().replace("content: hello", "content: good day"))

    cassette = Cassette.open(tmp_path)

    counts = cassette.essence(chat("good day"), None)
    assert cassette.next(counts.digest) is not None
    assert cassette.next(counts.digest) is None


def test_a_cassette_is_its_own_directory_and_none_below(tmp_path: Path) -> None:
    record(tmp_path / "below", (chat(), answer("a")))
    (tmp_path / "cassette.yaml").write_text("ignore: []\n")
    (tmp_path / ".new.yaml").write_text("half")

    assert [] == recordings_in(tmp_path)
    assert [] == Cassette.open(tmp_path / "nowhere").recordings


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("method: POST", "method: [", 8, "did not find expected|expected"),
        ("status: 200", "status: soon", 20, "response.status: 'soon' is no status"),
        ("response:", "answer:", 1, "response is missing: is the file whole?"),
        ("url: https", "url: nowhere", 7, "is no absolute URL"),
        ("spelling: spaced", "spelling: odd", 12, "is no way of writing JSON"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    record(tmp_path, (chat(), answer("a")))
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text().replace(old, new, 1))

    with pytest.raises(ConfigError, match=message) as raised:
        Cassette.open(tmp_path)

    said = str(raised.value)
    assert said.startswith(f"{path}:")
    assert abs(line - int(said.removeprefix(f"{path}:").partition(":")[0])) <= 2
    assert "hint: mend it or restore it" in said


def test_a_file_cut_anywhere_is_never_an_empty_cassette(tmp_path: Path) -> None:
    record(tmp_path, (chat(), answer("a")))
    (path,) = tmp_path.iterdir()
    whole = path.read_text()
    lines = whole.splitlines(keepends=True)
    response = next(n for n, line in enumerate(lines) if line.startswith("response"))
    for count in range(response + 1):
        path.write_text("".join(lines[:count]))
        with pytest.raises(ConfigError, match=str(path)):
            Cassette.open(tmp_path)


def test_a_missing_file_beside_is_named(tmp_path: Path) -> None:
    record(tmp_path, (chat(), b"\x00\xff" * 1000))
    beside = next(tmp_path.glob("*.response.bin"))
    beside.unlink()

    with pytest.raises(ConfigError, match=f"response.body: {beside.name}: No such file"):
        Cassette.open(tmp_path)


def test_an_endpoint_is_named_without_what_is_secret() -> None:
    assert "POST api.openai.com/v1/chat/completions" == endpoint(chat())
