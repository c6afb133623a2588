from mistralai.client import Mistral

from rounds import PLAIN, STREAM, rounds

chat = Mistral(api_key="k").chat


def asked(question):
    return {"model": "mistral-small-latest", "messages": [{"role": "user", "content": question}]}


def plain():
    return chat.complete(**asked(PLAIN)).choices[0].message.content


def stream():
    with chat.stream(**asked(STREAM)) as events:
        for event in events:
            yield event.data.choices[0].delta.content or ""


rounds("mistralai", plain, stream)
