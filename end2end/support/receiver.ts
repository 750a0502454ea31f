import { once } from "node:events";
import { type IncomingHttpHeaders, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { Webhook } from "standardwebhooks";

/** One request that arrived. */
export interface Call {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** The bytes as they came. */
  body: string;
  /** What the official library said of it: `verified`, or why not. */
  verdict: string;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** Somebody's server: it verifies each call with the official library, and remembers it. */
export class Receiver {
  readonly calls: Call[] = [];
  /** What it answers to every call. */
  answer: Answer = { status: 200 };
  /** The secret that its owner was given. */
  secret: string | undefined;
  private readonly server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const body = Buffer.concat(chunks).toString();
      this.calls.push({ method, path: url, headers, body, verdict: this.judge(body, headers) });
      this.reply(response);
    });
  });

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.server.listen(0, "127.0.0.1");
    await once(receiver.server, "listening");
    return receiver;
  }

  url(path = "/"): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`;
  }

  /** The calls to one of its paths. */
  to(path: string): Call[] {
    return this.calls.filter((call) => call.path === path);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  private judge(body: string, headers: IncomingHttpHeaders): string {
    if (this.secret === undefined) return "no secret to verify with";
    try {
      library(this.secret).verify(body, headers as Record<string, string>);
      return "verified";
    } catch (error) {
      return String(error);
    }
  }

  private reply(response: ServerResponse): void {
    const { status, headers = {}, body = "" } = this.answer;
    response.writeHead(status, headers).end(body);
  }
}

/** A text of one's own is the key as it is; `whsec_…` is decoded. */
function library(secret: string): Webhook {
  return secret.startsWith("whsec_") ? new Webhook(secret) : new Webhook(secret, { format: "raw" });
}
