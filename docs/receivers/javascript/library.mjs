import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const MAX_BODY = 1024 * 1024;

const secret = process.env.WEBHOOK_SECRET;
if (!secret?.startsWith("whsec_")) {
  // Libraries accept only this form. For any other secret, the dashboard shows the equivalent.
  console.error("Set WEBHOOK_SECRET to the webhook's secret, in its whsec_ form.");
  process.exit(1);
}
const webhook = new Webhook(secret);

// In production, store the ids in a database, in a unique column.
const seen = new Set();

async function receive(request, response) {
  const answer = (status, reason) => response.writeHead(status).end(reason);
  if (request.method !== "POST") return answer(405, "send a POST");
  if (Number(request.headers["content-length"]) > MAX_BODY) return answer(413, "the body is too large");
  const chunks = []; // the raw bytes: re-serialized JSON would not match the signature
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY) return answer(413, "the body is too large");
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  let event;
  try {
    // The library also accepts 123abc.
    const timestamp = request.headers["webhook-timestamp"] ?? "";
    if (/\D/.test(timestamp)) throw new Error("webhook-timestamp is not whole seconds");
    // Checks the signatures in constant time and rejects old timestamps, then parses the JSON.
    event = webhook.verify(body, request.headers);
    if (event === undefined) throw new Error("the body is empty");
  } catch (error) {
    return answer(400, error.message);
  }
  const id = request.headers["webhook-id"];
  const again = seen.has(id) ? " again" : "";
  seen.add(id);
  // Put new events into a queue here: processing must not delay the response.
  console.log(`${event?.type ?? "unknown"} ${id}${again}`);
  answer(204);
}

const server = createServer((request, response) => {
  receive(request, response).catch(() => response.destroy()); // the caller disconnected
});
server.listen(Number(process.env.PORT ?? 4040), "127.0.0.1", () => console.log("listening"));
