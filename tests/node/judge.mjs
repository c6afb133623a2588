// Shows bodies to the official SDKs of Node and says what each made of them.
//
// stdin: [{"reader": "openai-chat", "stream": true, "type": "text/event-stream", "body": base64}]
// stdout: [{"read": ...} | {"error": "..."}], in the same order.
import { createServer } from "node:http";
import { Buffer } from "node:buffer";
import process from "node:process";

import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";

const messages = [{ role: "user", content: "?" }];

function openai(url) {
  return new OpenAI({ apiKey: "k", baseURL: url, maxRetries: 0 });
}

const readers = {
  async "openai-chat"(url, isStream) {
    const { completions } = openai(url).chat;
    const asked = { model: "m", messages };
    return isStream
      ? await completions.stream(asked).finalChatCompletion()
      : await completions.create(asked);
  },

  async "openai-responses"(url, isStream) {
    const { responses } = openai(url);
    const asked = { model: "m", input: "?" };
    return isStream
      ? await responses.stream(asked).finalResponse()
      : await responses.create(asked);
  },

  async "openai-completions"(url, isStream) {
    const { completions } = openai(url);
    const asked = { model: "m", prompt: "?" };
    if (!isStream) return await completions.create(asked);
    const whole = { choices: [] };
    for await (const chunk of await completions.create({ ...asked, stream: true })) {
      for (const { index, text, logprobs, ...choice } of chunk.choices) {
        const known = (whole.choices[index] ??= { index, text: "" });
        known.text += text;
        for (const [name, list] of Object.entries(logprobs ?? {})) {
          known.logprobs = { ...known.logprobs, [name]: [...(known.logprobs?.[name] ?? []), ...list] };
        }
        fill(known, choice);
      }
      const { choices, ...rest } = chunk;
      fill(whole, rest);
    }
    return whole;
  },

  async "embeddings"(url) {
    return await openai(url).embeddings.create({ model: "m", input: "?", encoding_format: "float" });
  },

  async "anthropic-messages"(url, isStream) {
    const client = new Anthropic({ apiKey: "k", baseURL: url, maxRetries: 0 });
    const asked = { model: "m", max_tokens: 9, messages };
    return isStream
      ? await client.beta.messages.stream(asked).finalMessage()
      : await client.beta.messages.create(asked);
  },

  async "gemini"(url, isStream) {
    const { models } = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: url } });
    const asked = { model: "m", contents: "?" };
    const chunks = isStream
      ? await collected(await models.generateContentStream(asked))
      : [await models.generateContent(asked)];
    return oneAnswer(chunks.map(({ sdkHttpResponse, ...chunk }) => chunk));
  },
};

/** What Google's SDK leaves to its user: the chunks of a stream as one answer. */
function oneAnswer(chunks) {
  const whole = { candidates: [] };
  for (const { candidates, ...rest } of chunks) {
    for (const { index = 0, content, citationMetadata, logprobsResult, ...candidate } of candidates ?? []) {
      const known = (whole.candidates[index] ??= { parts: [], lists: {} });
      for (const part of content?.parts ?? []) addPart(known.parts, part);
      extend(known.lists, { ...citationMetadata, ...logprobsResult });
      fill(known, candidate);
    }
    fill(whole, rest);
  }
  return whole;
}

function addPart(parts, part) {
  const last = parts.at(-1);
  if (last && isBare(last) && isBare(part) && last.thought === part.thought) last.text += part.text;
  else if (JSON.stringify(part) !== '{"text":""}') parts.push({ ...part });
}

function isBare(part) {
  return Object.keys(part).every((name) => name === "text" || name === "thought");
}

function extend(known, said) {
  for (const [name, value] of Object.entries(said)) {
    known[name] = Array.isArray(value) ? [...(known[name] ?? []), ...value] : value;
  }
}

function fill(known, said) {
  for (const [name, value] of Object.entries(said)) {
    if (value !== null && value !== undefined) known[name] = value;
  }
}

async function collected(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}

async function stdin() {
  return JSON.parse(Buffer.concat(await collected(process.stdin)).toString());
}

const jobs = await stdin();

// The first segment of a path is the number of its job.
const server = createServer((request, response) => {
  const { type, body } = jobs[Number(request.url.split("/")[1])];
  request.resume();
  request.on("end", () => {
    response.writeHead(200, { "content-type": type, connection: "close" });
    response.end(Buffer.from(body, "base64"));
  });
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const told = [];
for (const [number, { reader, stream }] of jobs.entries()) {
  const url = `http://127.0.0.1:${server.address().port}/${number}`;
  try {
    told.push({ read: await readers[reader](url, stream) });
  } catch (error) {
    told.push({ error: `${error.constructor.name}: ${error.message}` });
  }
}
server.close();
process.stdout.write(JSON.stringify(told));
