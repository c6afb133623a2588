"""The smallest program of each client: asks the same three times, and prints each time what
`Cache-Status` said. Its arguments are the URL and the body.
"""

from __future__ import annotations

_PYTHON = """
import os, sys
url, body = sys.argv[1], sys.argv[2].encode()
headers = {"Content-Type": "application/json", "Authorization": "Bearer sk-doctor"}
"""

REQUESTS = f"""{_PYTHON}
import requests
for _ in range(3):
    print(requests.post(url, body, headers=headers, timeout=20).headers["cache-status"])
"""

HTTPX = f"""{_PYTHON}
import LIBRARY as httpx
for _ in range(3):
    print(httpx.post(url, content=body, headers=headers, timeout=20).headers["cache-status"])
"""

AIOHTTP = f"""{_PYTHON}
import asyncio, aiohttp
async def main():
    async with aiohttp.ClientSession(trust_env=True) as session:
        for _ in range(3):
            async with session.post(url, data=body, headers=headers) as answer:
                await answer.read()
                print(answer.headers["cache-status"])
asyncio.run(main())
"""

URLLIB = f"""{_PYTHON}
from urllib.request import Request, urlopen
for _ in range(3):
    with urlopen(Request(url, body, headers), timeout=20) as answer:
        print(answer.headers["cache-status"])
"""

# Signs what it sends, and speaks Bedrock: url and body are its own.
BOTO3 = """
import sys, boto3
client = boto3.client("bedrock-runtime", region_name="us-east-1",
                      aws_access_key_id="AKIDOCTOR", aws_secret_access_key="k")
said = [{"role": "user", "content": [{"text": "boto3"}]}]
for _ in range(3):
    answer = client.converse(modelId="anthropic.claude-3-haiku-20240307-v1:0", messages=said)
    print(answer["ResponseMetadata"]["HTTPHeaders"]["cache-status"])
"""

# Node, Deno and Bun.
FETCH = """
const given = globalThis.Deno ? Deno.args : process.argv.slice(-2);
const [url, body] = given;
const headers = { "Content-Type": "application/json", Authorization: "Bearer sk-doctor" };
(async () => {
  for (let i = 0; i < 3; i++) {
    const answer = await fetch(url, { method: "POST", headers, body });
    await answer.text();
    console.log(answer.headers.get("cache-status"));
  }
})().catch((error) => {
  console.error(String(error), String(error.cause ?? ""));
  (globalThis.Deno ?? process).exit(1);
});
"""

HTTPS = """
const [url, body] = process.argv.slice(-2);
const headers = { "Content-Type": "application/json", Authorization: "Bearer sk-doctor" };
const ask = (left) => {
  if (!left) return;
  const request = require("https").request(url, { method: "POST", headers }, (answer) => {
    console.log(answer.headers["cache-status"]);
    answer.resume().on("end", () => ask(left - 1));
  });
  request.end(body);
};
ask(3);
"""

JAVA = """
import java.net.URI;
import java.net.http.*;

class Ask {
    public static void main(String[] given) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest request = HttpRequest.newBuilder(URI.create(given[0]))
            .header("Content-Type", "application/json").header("Authorization", "Bearer sk-doctor")
            .POST(HttpRequest.BodyPublishers.ofString(given[1])).build();
        for (int i = 0; i < 3; i++) {
            var answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            System.out.println(answer.headers().firstValue("cache-status").orElse(""));
        }
    }
}
"""

GO = """
package main

import ("fmt"; "io"; "net/http"; "os"; "strings")

func main() {
	for i := 0; i < 3; i++ {
		request, _ := http.NewRequest("POST", os.Args[1], strings.NewReader(os.Args[2]))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer sk-doctor")
		answer, err := http.DefaultClient.Do(request)
		if err != nil { fmt.Fprintln(os.Stderr, err); os.Exit(1) }
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		fmt.Println(answer.Header.Get("cache-status"))
	}
}
"""

CURL = """
for _ in 1 2 3; do
    curl -sS -m 20 -D - -o /dev/null "$1" -d "$2" \\
        -H "Content-Type: application/json" -H "Authorization: Bearer sk-doctor" \\
        | grep -i '^cache-status' || exit 1
done
"""

WGET = """
for _ in 1 2 3; do
    said=$(wget -nv -S -O /dev/null -T 20 -t 1 "$1" --post-data="$2" \\
        --header="Content-Type: application/json" --header="Authorization: Bearer sk-doctor" 2>&1)
    printf '%s\\n' "$said" | grep -i 'cache-status' || { printf '%s\\n' "$said" >&2; exit 1; }
done
"""
