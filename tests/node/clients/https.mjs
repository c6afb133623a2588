import https from "node:https";

import { HEADERS, PLAIN, STREAM, URL, asked, rounds } from "./rounds.mjs";

const agent = new https.Agent({ keepAlive: true });

function ask(body) {
  return new Promise((resolve, reject) => {
    const request = https.request(URL, { method: "POST", headers: HEADERS, agent }, (answer) => {
      let all = "";
      answer.setEncoding("utf8");
      answer.on("data", (piece) => (all += piece));
      answer.on("end", () => (answer.statusCode === 200 ? resolve(all) : reject(new Error(all))));
    });
    request.on("error", reject);
    request.end(JSON.stringify(body));
  });
}

await rounds(
  null,
  () => ask(asked(PLAIN)),
  () => ask(asked(STREAM, { stream: true })),
);
agent.destroy();
