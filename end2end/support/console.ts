import type { BrowserContext, ConsoleMessage } from "@playwright/test";

/** What browsers complained about. A test that leaves a complaint fails. */
export class Complaints {
  private readonly all: string[] = [];
  private readonly allowed: RegExp[] = [];

  /** What nobody expected. */
  get found(): string[] {
    return this.all.filter((complaint) => !this.allowed.some((pattern) => pattern.test(complaint)));
  }

  /** For the one test that provokes it. */
  allow(pattern: RegExp): void {
    this.allowed.push(pattern);
  }

  /** From here on, a script that a page loads is a complaint. */
  forbidScripts(context: BrowserContext): void {
    context.on("request", (request) => {
      if (request.resourceType() === "script") this.all.push(`a page loads a script: ${request.url()}`);
    });
  }

  watch(context: BrowserContext, scripted: boolean): void {
    const pages = new Set<string>();
    context.on("request", (request) => {
      if (request.isNavigationRequest()) pages.add(request.url());
    });
    context.on("weberror", (error) => this.all.push(`uncaught: ${error.error().stack ?? error.error().message}`));
    context.on("console", (message) => {
      if (!["error", "warning"].includes(message.type())) return;
      if (isPageWithAStatus(message, pages) || (!scripted && isPreloadWithoutScript(message))) return;
      this.all.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
  }
}

/** Chromium complains of every page and server function that truthfully answers 404 or 422. Of other files it may complain. */
function isPageWithAStatus(message: ConsoleMessage, pages: Set<string>): boolean {
  const { url } = message.location();
  return message.text().startsWith("Failed to load resource: the server responded with a status of 4")
    && (pages.has(url) || new URL(url).pathname.includes("/actions/"));
}

/** Without JavaScript nothing uses what was preloaded, and Chromium says so after a while; it also counts
 * `modulepreload` as a script that the policy forbids. */
function isPreloadWithoutScript(message: ConsoleMessage): boolean {
  return /modulepreload|preloaded using link preload|Content Security Policy directive: "script-src/.test(message.text())
    && /\/pkg\/[\w.-]+\.(js|wasm)/.test(message.text());
}
