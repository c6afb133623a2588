from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from khazad_mitm.errors import UnknownEntry
from khazad_mitm.exchange import Reply
from khazad_mitm.fronts import Played, Unrecorded
from khazad_mitm.messages import Headers, Request
from khazad_mitm.record.cassette import Cassette
from khazad_mitm.record.recorder import Recorder, RecordMode
from tests.record.calls import SSE, answer, chat, names, play, post, record, replayer

ASKED = chat()
MODELS = Request.to("https://api.openai.com/v1/models", method="GET")
FILES = post("https://api.openai.com/v1/files", b"--b\r\n\r\nx\r\n--b--")
ANOTHER_DAY = Headers([("Content-Type", "application/json"), ("X-Request-Id", "another")])
OLLAMA = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
FRAMES = b'data: {"a":1}\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize("request_", [ASKED, MODELS, FILES], ids=["chat", "models", "files"])
def test_what_was_recorded_is_played(tmp_path: Path, request_: Request) -> None:
    record(tmp_path, (request_, answer("30 days.")))

    assert (200, answer("30 days.")) == play(replayer(tmp_path), request_)


def test_an_error_is_played_with_what_came_with_it(tmp_path: Path) -> None:
    headers = Headers([("Content-Type", "application/json"), ("Retry-After", "3")])
    record(tmp_path, (ASKED, b'{"error": {}}'), status=429, headers=headers)

    outcome = replayer(tmp_path).look_up(ASKED)

    assert isinstance(outcome, Played)
    assert (429, "3") == (outcome.reply.status, outcome.reply.headers.get("retry-after"))
    assert 'khazad; hit; detail="recorded"' == outcome.reply.headers.get("cache-status")


def test_a_stream_is_played_frame_by_frame(tmp_path: Path) -> None:
    record(tmp_path, (ASKED, FRAMES), headers=SSE)

    outcome = replayer(tmp_path).look_up(ASKED)

    assert isinstance(outcome, Played)
    assert outcome.is_stream
    assert (b'data: {"a":1}\n\n', b"data: [DONE]\n\n") == outcome.reply.frames


def test_equal_requests_are_answered_in_the_order_recorded_and_no_further(tmp_path: Path) -> None:
    record(tmp_path, *((ASKED, answer(text)) for text in "abc"))

    recorder = replayer(tmp_path)

    assert [answer(text) for text in "abc"] == [play(recorder, ASKED)[1] for _ in range(3)]
    status, body = play(recorder, ASKED)
    assert 400 == status
    assert b"it is on file 3 times, all played" in body


def test_a_miss_says_which_recording_is_nearest_and_what_differs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record(tmp_path, (chat("How was it in 2023?", temperature=0.2), answer("x")))
    record(tmp_path, (chat("Something else"), answer("x")))

    status, body = play(replayer(tmp_path), chat("How was it in 2024?", temperature=0.7))

    assert 400 == status
    told = json.loads(body)["error"]["message"]
    (path,) = tmp_path.glob("openai-chat-how-was-it-in-2023-*.yaml")
    assert told == (
        "no recording matches POST api.openai.com/v1/chat/completions (gpt-4o)\n"
        f"nearest: {path}, differs in\n"
        '  messages[0].content   "…it in 2023?" → "…it in 2024?"\n'
        "  temperature           0.2 → 0.7\n\n"
        "hint: record it with `khazad_record=new_episodes`"
    )
    assert told in caplog.text


def test_none_lets_nothing_through_whatever_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path, (ASKED, answer("x")))
    recorder = replayer(tmp_path)
    monkeypatch.setattr(recorder.cassette, "next", None)

    assert recorder.is_closed
    assert 400 == play(recorder, ASKED)[0]
    unreadable = recorder.unreadable()
    assert unreadable is not None
    assert 400 == unreadable.reply.status


@pytest.mark.parametrize(
    ("mode", "is_empty", "records"),
    [
        (RecordMode.NONE, True, False),
        (RecordMode.NONE, False, False),
        (RecordMode.ONCE, True, True),
        (RecordMode.ONCE, False, False),
        (RecordMode.NEW_EPISODES, False, True),
        (RecordMode.ALL, False, True),
    ],
)
def test_what_is_new_is_recorded_as_the_mode_says(
    tmp_path: Path, mode: RecordMode, is_empty: bool, records: bool
) -> None:
    if not is_empty:
        record(tmp_path, (ASKED, answer("x")))

    outcome = Recorder(Cassette.open(tmp_path), mode).look_up(chat("new"))

    assert records == isinstance(outcome, Unrecorded)


def test_new_episodes_plays_what_there_is_and_records_the_rest(tmp_path: Path) -> None:
    def loop(result: str) -> list[Request]:
        turn = {"role": "tool", "tool_call_id": "1", "content": result}
        user = {"role": "user", "content": "go"}
        call = {"role": "assistant", "content": None, "tool_calls": []}
        return [chat("go"), chat(messages=[user, call, turn])]

    first, second = loop("21 degrees")
    record(tmp_path, (first, answer("call the tool")), (second, answer("warm")))

    again = record(tmp_path, *((request, answer("cold")) for request in loop("3 degrees")))

    assert (1, 1) == (again.report().played, again.report().recorded)
    assert 3 == len(names(tmp_path))


def test_recording_the_same_again_leaves_the_files_alone(tmp_path: Path) -> None:
    calls = [(ASKED, answer("x")), (ASKED, answer("y")), (MODELS, b"[]")]
    record(tmp_path, *calls)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}

    again = record(tmp_path, *calls, mode=RecordMode.ALL, headers=ANOTHER_DAY)

    assert 3 == again.report().unchanged
    assert before == {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()
    }


def test_all_replaces_what_has_changed(tmp_path: Path) -> None:
    record(tmp_path, (ASKED, answer("old")))
    record(tmp_path, (ASKED, answer("new")), mode=RecordMode.ALL)

    assert 1 == len(names(tmp_path))
    assert (200, answer("new")) == play(replayer(tmp_path), ASKED)


def test_a_key_never_reaches_a_file_and_replay_needs_none(tmp_path: Path) -> None:
    key = "sk-proj-" + "aB3_" * 12
    asked = post("https://api.openai.com/v1/x", f'{{"q":"{key}"}}'.encode(), x_api_key=key)
    record(tmp_path, (asked, f"you sent {key}".encode()))

    assert not any(key in path.read_text() for path in tmp_path.iterdir())
    assert (200, b"you sent SCRUBBED") == play(replayer(tmp_path), asked)
    other = post("https://api.openai.com/v1/x", b'{"q":"SCRUBBED"}')
    assert 200 == play(replayer(tmp_path), other)[0]


def test_what_looks_like_a_secret_is_not_written_and_the_place_is_named(tmp_path: Path) -> None:
    recorder = record(tmp_path, (chat("use postgres://joe:hunter2@db/x"), answer("ok")))

    assert [] == names(tmp_path)
    (lost,) = recorder.report().lost
    assert "request.body.json.messages[0].content: a password in a URL" in lost


def test_an_answer_that_was_cut_is_not_recorded(tmp_path: Path) -> None:
    recorder = Recorder(Cassette.open(tmp_path), RecordMode.ONCE)
    outcome = recorder.look_up(ASKED)
    assert isinstance(outcome, Unrecorded)
    outcome.listener.feed(b"{")
    outcome.listener.abort()
    recorder.close()

    assert [] == names(tmp_path)
    assert "it was cut" in recorder.report().lost[0]


def test_other_hosts_are_none_of_its_business(tmp_path: Path) -> None:
    recorder = Recorder(Cassette.open(tmp_path), RecordMode.ONCE)
    page = Request.to("https://example.com/", method="GET")

    assert recorder.look_up(page) is None
    assert not recorder.decrypts("example.com")
    assert isinstance(recorder.look_up(post("http://localhost:8000/v1/chat/completions",
                                            ASKED.body)), Unrecorded)  # fmt: skip
    named = Recorder(Cassette.open(tmp_path), RecordMode.ONCE, hosts=("example.com",))
    assert isinstance(named.look_up(page), Unrecorded)
    assert named.look_up(ASKED) is None


def test_a_host_of_the_cassette_is_known_wherever_it_is_played(tmp_path: Path) -> None:
    asked = post("https://gateway.example/ask", b"{}")
    recording = Recorder(Cassette.open(tmp_path), RecordMode.ONCE, hosts=("gateway.example",))
    outcome = recording.look_up(asked)
    assert isinstance(outcome, Unrecorded)
    outcome.listener.finish(204, Headers())
    recording.close()

    assert replayer(tmp_path).decrypts("gateway.example")
    assert (204, b"") == play(replayer(tmp_path), asked)


def test_on_miss_upstream_sends_it_on_and_says_so(tmp_path: Path) -> None:
    record(tmp_path, (ASKED, answer("x")))
    recorder = replayer(tmp_path, on_miss="upstream")

    assert recorder.look_up(chat("new")) is None
    assert not recorder.is_closed
    assert 1 == recorder.report().forwarded


def test_on_miss_semantic_asks_for_the_same_in_other_words(tmp_path: Path) -> None:
    class Finds:
        def __call__(self, request: Request) -> Reply | None:
            return Reply(200, Headers(), (b"near",)) if b"period" in request.body else None

        def close(self) -> None: ...

    record(tmp_path, (ASKED, answer("x")))
    recorder = replayer(tmp_path, on_miss="semantic", stand_in=Finds())

    assert (200, b"near") == play(recorder, chat("Which period is it?"))
    assert 400 == play(recorder, chat("Something else"))[0]
    play(recorder, ASKED)
    assert 400 == play(recorder, ASKED)[0]


@pytest.mark.parametrize(
    ("url", "body", "where"),
    [
        ("https://api.anthropic.com/v1/messages", {"messages": []}, ("error", "message")),
        ("https://generativelanguage.googleapis.com/v1beta/x", {}, ("error", "message")),
        ("https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse", {}, ("message",)),
        ("https://api.cohere.com/v2/chat", {}, ("message",)),
        ("http://localhost:11434/api/chat", OLLAMA, ("error",)),
        ("https://api.openai.com/v1/models", {}, ("error", "message")),
    ],
)
def test_a_miss_answers_in_the_shape_of_the_provider(
    tmp_path: Path, url: str, body: dict[str, Any], where: tuple[str, ...]
) -> None:
    record(tmp_path, (ASKED, answer("x")))

    status, said = play(replayer(tmp_path), post(url, json.dumps(body).encode()))

    value = json.loads(said)
    for name in where:
        value = value[name]
    assert 400 == status
    assert value.startswith("no recording matches")


def test_what_was_not_asked_for_is_reported(tmp_path: Path) -> None:
    record(tmp_path, (ASKED, answer("x")), (ASKED, answer("y")), (chat("other"), answer("z")))
    recorder = replayer(tmp_path)
    play(recorder, ASKED)
    play(recorder, chat("new"))

    report = recorder.report()

    assert 2 == len(report.unused)
    assert "1 LLM calls replayed, 1 without a recording, 2 recordings not asked for" == str(report)
    assert (1, 1) == (recorder.stats().cache_hits, recorder.stats().cache_misses)
    recorder.flush()
    assert 200 == play(recorder, ASKED)[0]


async def test_waiting_for_it_is_the_same(tmp_path: Path) -> None:
    record(tmp_path, (ASKED, answer("x")))
    recorder = replayer(tmp_path)

    outcomes = await asyncio.gather(*(recorder.look_up_async(ASKED) for _ in range(2)))

    assert [200, 400] == [
        outcome.reply.status for outcome in outcomes if isinstance(outcome, Played)
    ]


def test_a_recording_is_neither_checked_nor_an_entry(tmp_path: Path) -> None:
    recorder = Recorder(Cassette.open(tmp_path), RecordMode.ONCE)

    assert recorder.shadow(None) is None
    for asked in (recorder.explain, recorder.export, recorder.wrong):
        with pytest.raises(UnknownEntry, match="a cassette is in the place"):
            asked("abcd")
