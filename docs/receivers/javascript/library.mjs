import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const MAX_BODY = 1024 * 1024;

const secret = process.env.WEBHOOK_SECRET;
if (!secret?.startsWith("whsec_")) {
  // Libraries take only this form. For a secret of your own the dashboard shows the equivalent.
  console.error("Set WEBHOOK_SECRET to the webhook's secret, in its whsec_ form.");
  process.exit(1);
}
const webhook = new Webhook(secret);

// In production keep the ids where a restart keeps them, e.g. in a unique column.
const seen = new Set();

async function receive(request, response) {
  const answer = (status, reason) => response.writeHead(status).end(reason);
  if (request.method !== "POST") return answer(405, "send a POST");
  if (Number(request.headers["content-length"]) > MAX_BODY) return answer(413, "the body is too large");
  const chunks = []; // the raw bytes: parsed and written again they would differ
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY) return answer(413, "the body is too large");
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  let event;
  try {
    // The library also takes 123abc for 123.
    const timestamp = request.headers["webhook-timestamp"] ?? "";
    if (/\D/.test(timestamp)) throw new Error("webhook-timestamp is not whole seconds");
    // Checks the signatures in constant time, and the timestamp against replays; then parses the JSON.
    event = webhook.verify(body, request.headers);
    if (event === undefined) throw new Error("the body is empty");
  } catch (error) {
    return answer(400, error.message);
  }
  const id = request.headers["webhook-id"];
  const again = seen.has(id) ? " again" : "";
  seen.add(id);
  // If it is new, hand it to a queue here: the work must not delay the answer.
  console.log(`${event?.type ?? "unknown"} ${id}${again}`);
  answer(204);
}

const server = createServer((request, response) => {
  receive(request, response).catch(() => response.destroy()); // the caller went away
});
server.listen(Number(process.env.PORT ?? 4040), "127.0.0.1", () => console.log("listening"));
