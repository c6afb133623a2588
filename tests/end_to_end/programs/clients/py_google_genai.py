from google import genai

from rounds import PLAIN, STREAM, rounds

client = genai.Client(api_key="k")


def plain():
    return client.models.generate_content(model="gemini-2.5-flash", contents=PLAIN).text


def stream():
    for chunk in client.models.generate_content_stream(model="gemini-2.5-flash", contents=STREAM):
        yield chunk.text or ""


rounds("google-genai", plain, stream)
