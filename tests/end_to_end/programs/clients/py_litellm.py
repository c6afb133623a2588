import litellm

from rounds import PLAIN, STREAM, rounds


def ask(question, *, stream):
    said = [{"role": "user", "content": question}]
    return litellm.completion(
        model="openai/gpt-4o", messages=said, stream=stream, api_key="k", num_retries=0
    )


def plain():
    return ask(PLAIN, stream=False).choices[0].message.content


def stream():
    for chunk in ask(STREAM, stream=True):
        yield chunk.choices[0].delta.content or ""


rounds("litellm", plain, stream)
