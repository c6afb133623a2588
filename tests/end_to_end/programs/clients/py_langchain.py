from langchain_openai import ChatOpenAI

from rounds import PLAIN, STREAM, rounds

model = ChatOpenAI(model="gpt-4o", api_key="k", max_retries=0)


def plain():
    return model.invoke(PLAIN).text


def stream():
    for chunk in model.stream(STREAM):
        yield chunk.text


rounds("langchain-openai", plain, stream)
