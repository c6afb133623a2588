from openai import OpenAI

from rounds import PLAIN, STREAM, rounds

chat = OpenAI(api_key="sk-test", max_retries=0).chat.completions


def asked(question):
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": question}]}


def plain():
    return chat.create(**asked(PLAIN)).choices[0].message.content


def stream():
    for chunk in chat.create(**asked(STREAM), stream=True):
        if chunk.choices:
            yield chunk.choices[0].delta.content or ""


rounds("openai", plain, stream)
