// What every program here does: two questions for each line it reads, and what it was told.
import { createRequire } from "node:module";
import process from "node:process";
import { createInterface } from "node:readline";

export const PLAIN = "What is the capital of France?";
export const STREAM = "Name the planets of the solar system.";
export const URL = "https://api.openai.com/v1/chat/completions";
export const HEADERS = { "Content-Type": "application/json", Authorization: "Bearer sk-test" };

export function asked(question, more = {}) {
  return { model: "gpt-4o", messages: [{ role: "user", content: question }], ...more };
}

// `name`: a package, or null for what comes with Node.
export async function rounds(name, plain, stream) {
  const { readFileSync } = await import("node:fs");
  const require = createRequire(import.meta.url);
  const folder = name && require.resolve.paths(name).map((path) => `${path}/${name}/package.json`);
  const version = name ? JSON.parse(firstOf(folder, readFileSync)).version : process.versions.node;
  console.log(version);
  for await (const _ of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify([await plain(), await stream()]));
  }
}

function firstOf(files, read) {
  for (const file of files) {
    try {
      return read(file);
    } catch {
      continue;
    }
  }
  throw new Error("not installed");
}
