"""Gemini, by Google's SDK.

pip install "khazad-mitm[embedded]" google-genai
GEMINI_API_KEY=... python examples/with_gemini.py
"""

import time

from google import genai

import khazad

khazad.init()

client = genai.Client()

for call in (1, 2):
    start = time.perf_counter()
    response = client.models.generate_content(
        model="gemini-2.5-flash",
        contents="What is the capital of Italy?",
    )
    took_ms = (time.perf_counter() - start) * 1000
    print(f"[plain {call}] {took_ms:.1f} ms: {response.text}")

for call in (1, 2):
    start = time.perf_counter()
    chunks = client.models.generate_content_stream(
        model="gemini-2.5-flash",
        contents="Who wrote the Divine Comedy?",
    )
    text = "".join(chunk.text or "" for chunk in chunks)
    took_ms = (time.perf_counter() - start) * 1000
    print(f"[stream {call}] {took_ms:.1f} ms: {text}")

print(khazad.get_stats())
khazad.stop()
