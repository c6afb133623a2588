from cohere import ClientV2

from rounds import PLAIN, STREAM, rounds

client = ClientV2(api_key="k")


def asked(question):
    return {"model": "command-a-03-2025", "messages": [{"role": "user", "content": question}]}


def plain():
    return client.chat(**asked(PLAIN)).message.content[0].text


def stream():
    for event in client.chat_stream(**asked(STREAM)):
        if event.type == "content-delta":
            yield event.delta.message.content.text


rounds("cohere", plain, stream)
