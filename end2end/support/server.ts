import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve as resolvePath } from "node:path";

const repository = resolvePath(import.meta.dirname, "../..");
const program = process.env["CALEIDA_BIN"] ?? join(repository, "target/debug/caleida");

/** A Caleida server with its own temporary data folder. */
export class Server {
  /** Output of the server. */
  log = "";

  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly environment: NodeJS.ProcessEnv,
    private readonly child: ChildProcess,
  ) {}

  static async start(settings: Record<string, string> = {}): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), "caleida-e2e-"));
    const environment = {
      PATH: process.env["PATH"],
      LEPTOS_SITE_ROOT: process.env["LEPTOS_SITE_ROOT"] ?? join(repository, "target/site"),
      // The system chooses a free port.
      CALEIDA_LISTEN: "127.0.0.1:0",
      CALEIDA_METRICS_LISTEN: "off",
      CALEIDA_ALLOW_HTTP: "true",
      CALEIDA_ALLOW_NETWORKS: "127.0.0.0/8",
      CALEIDA_ADMIN_EMAIL: "first@caleida.test",
      CALEIDA_ADMIN_PASSWORD: "the first admin's password",
      CALEIDA_RETRY_SCHEDULE: "1s,1s",
      CALEIDA_SHUTDOWN_GRACE: "2s",
      ...settings,
    };
    const child = spawn(program, ["serve"], { cwd: folder, env: environment, stdio: ["ignore", "pipe", "pipe"] });
    try {
      const started = await waitForUrl(child);
      const server = new Server(started.url, folder, environment, child);
      server.log = started.printed;
      const append = (text: Buffer) => (server.log = (server.log + text.toString()).slice(-100_000));
      child.stdout?.on("data", append);
      child.stderr?.on("data", append);
      await server.ready();
      return server;
    } catch (error) {
      child.kill("SIGTERM");
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Runs a CLI command on the same data and returns its output. */
  async command(args: string[], input = ""): Promise<string> {
    const child = spawn(program, args, { cwd: this.folder, env: this.environment });
    let [out, err] = ["", ""];
    child.stdout.on("data", (text: Buffer) => (out += text.toString()));
    child.stderr.on("data", (text: Buffer) => (err += text.toString()));
    // Commands that read no input may exit before the pipe is closed. Their exit code is checked below.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    const [code] = (await once(child, "close")) as [number | null];
    if (code !== 0) throw new Error(`caleida ${args.join(" ")} ended with ${code}: ${err}`);
    return out.trim();
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, "exit");
      this.child.kill("SIGTERM");
      const timeout = setTimeout(() => this.child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(timeout);
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private async ready(): Promise<void> {
    const deadline = Date.now() + 15_000;
    while (Date.now() < deadline) {
      const response = await fetch(`${this.url}/readyz`).catch(() => undefined);
      if (response?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the server is not ready:\n${this.log}`);
  }
}

/** Waits until the server prints its URL. */
function waitForUrl(child: ChildProcess): Promise<{ url: string; printed: string }> {
  return new Promise((resolve, reject) => {
    let printed = "";
    const read = (text: Buffer) => {
      printed += text.toString();
      const url = /runs at (http:\/\/\S+)/.exec(printed)?.[1];
      if (url) resolve({ url, printed });
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", (error) => reject(new Error(`${program} cannot be started: ${error.message}`)));
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${printed}`)));
    setTimeout(() => reject(new Error(`the server has not printed its URL:\n${printed}`)), 20_000).unref();
  });
}
