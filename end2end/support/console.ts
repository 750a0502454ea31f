import type { BrowserContext, ConsoleMessage } from "@playwright/test";

/** Errors and warnings in the consoles of the browsers. Any unexpected one fails the test. */
export class ConsoleErrors {
  private readonly all: string[] = [];
  private readonly allowed: RegExp[] = [];

  /** The errors that no pattern allows. */
  get unexpected(): string[] {
    return this.all.filter((error) => !this.allowed.some((pattern) => pattern.test(error)));
  }

  /** Allows errors that match the pattern, for a test that provokes them. */
  allow(pattern: RegExp): void {
    this.allowed.push(pattern);
  }

  /** Records every script that a page loads as an error. */
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
      if (isErrorStatus(message, pages) || (!scripted && isPreloadWithoutScript(message))) return;
      this.all.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
  }
}

/** Returns whether Chromium reports the 4xx status of a page or server function. Other files must not fail. */
function isErrorStatus(message: ConsoleMessage, pages: Set<string>): boolean {
  const { url } = message.location();
  return message.text().startsWith("Failed to load resource: the server responded with a status of 4")
    && (pages.has(url) || new URL(url).pathname.includes("/actions/"));
}

/** Returns whether Chromium reports a preload without JavaScript: as unused, or as a script that the policy forbids. */
function isPreloadWithoutScript(message: ConsoleMessage): boolean {
  return /modulepreload|preloaded using link preload|Content Security Policy directive: "script-src/.test(message.text())
    && /\/pkg\/[\w.-]+\.(js|wasm)/.test(message.text());
}
