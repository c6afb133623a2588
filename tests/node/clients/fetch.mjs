import { HEADERS, PLAIN, STREAM, URL, asked, rounds } from "./rounds.mjs";

async function ask(body) {
  const answer = await fetch(URL, { method: "POST", headers: HEADERS, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer;
}

await rounds(
  null,
  async () => (await ask(asked(PLAIN))).text(),
  async () => {
    let all = "";
    const pieces = (await ask(asked(STREAM, { stream: true }))).body.pipeThrough(new TextDecoderStream());
    for await (const piece of pieces) all += piece;
    return all;
  },
);
