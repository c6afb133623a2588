"""Azure OpenAI, signed in with Entra ID: no API key anywhere.

    pip install "khazad-mitm[embedded]" openai azure-identity
    az login
    AZURE_OPENAI_ENDPOINT=https://NAME.openai.azure.com python examples/with_azure.py

`AZURE_OPENAI_DEPLOYMENT` and `OPENAI_API_VERSION` say which model, and by which version of the API.
"""

import os
import time

from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from openai import AzureOpenAI

import khazad

khazad.init(
    # Every deployment of the resource shares answers.
    cache_scope=khazad.CacheScope.HOST,
    # An Entra token lasts about an hour; its holder finds what was kept under the last one. Other
    # holders (another identity, another user) share nothing by default. `shared` lets them: a token
    # is served from the cache once Azure has accepted that very token.
    tenant="shared",
)

client = AzureOpenAI(
    azure_endpoint=os.environ["AZURE_OPENAI_ENDPOINT"],
    api_version=os.environ.get("OPENAI_API_VERSION", "2024-12-01-preview"),
    azure_ad_token_provider=get_bearer_token_provider(
        DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default"
    ),
)
deployment = os.environ.get("AZURE_OPENAI_DEPLOYMENT", "gpt-4.1")

for call in (1, 2):
    start = time.perf_counter()
    response = client.chat.completions.create(
        model=deployment,
        messages=[{"role": "user", "content": "What is the capital of Spain?"}],
    )
    took_ms = (time.perf_counter() - start) * 1000
    print(f"[plain {call}] {took_ms:.1f} ms: {response.choices[0].message.content}")

for call in (1, 2):
    start = time.perf_counter()
    stream = client.chat.completions.create(
        model=deployment,
        messages=[{"role": "user", "content": "Who wrote Don Quixote?"}],
        stream=True,
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    took_ms = (time.perf_counter() - start) * 1000
    print(f"[stream {call}] {took_ms:.1f} ms: {text}")

print(khazad.get_stats())
khazad.stop()
