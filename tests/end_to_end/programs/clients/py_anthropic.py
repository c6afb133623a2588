from anthropic import Anthropic

from rounds import PLAIN, STREAM, rounds

messages = Anthropic(api_key="sk-test", max_retries=0).messages


def asked(question):
    said = [{"role": "user", "content": question}]
    return {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": said}


def plain():
    return messages.create(**asked(PLAIN)).content[0].text


def stream():
    with messages.stream(**asked(STREAM)) as events:
        yield from events.text_stream


rounds("anthropic", plain, stream)
