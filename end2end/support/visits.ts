import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";

import type { BrowserContext } from "@playwright/test";
import { parse } from "node-html-parser";

/** Name of the folder, inside the output folder, that collects the visits of all tests. */
export const VISITS = "visits-without-javascript";

/**
 * Records the pages, forms and server functions that browsers reach without JavaScript, as `GET /path` or
 * `POST /path`. `routes.spec.ts` compares them with the routes.
 */
export class Visits {
  private readonly found = new Set<string>();
  private readonly pages: Promise<{ url: string; html: string }>[] = [];
  private readonly submitted: { path: string; button: string }[] = [];

  watch(context: BrowserContext): void {
    context.on("response", (response) => {
      const request = response.request();
      if (!request.isNavigationRequest() || response.status() >= 400) return;
      const { pathname } = new URL(request.url());
      this.found.add(`${request.method()} ${pathname}`);
      if (request.method() === "POST") {
        const button = new URLSearchParams(request.postData() ?? "").get("do") ?? "";
        this.submitted.push({ path: pathname, button });
      }
      if (response.headers()["content-type"]?.startsWith("text/html")) {
        // A page that is left before it has loaded has no text.
        const html = response.text().catch(() => "");
        this.pages.push(html.then((text) => ({ url: request.url(), html: text })));
      }
    });
  }

  async save(outputFolder: string, worker: number): Promise<void> {
    const functions = new Map<string, string>();
    for (const { url, html } of await Promise.all(this.pages)) {
      for (const [form, path] of formsOf(html, url)) functions.set(form, path);
    }
    for (const { path, button } of this.submitted) {
      const called = functions.get(`${path} ${button}`);
      if (called) this.found.add(`POST ${called}`);
    }
    if (this.found.size === 0) return;
    const folder = join(outputFolder, VISITS);
    await mkdir(folder, { recursive: true });
    await appendFile(join(folder, `${worker}.txt`), [...this.found].map((line) => `${line}\n`).join(""));
  }
}

/** The server function of each form and submit button: its path by `page button`. */
function formsOf(html: string, url: string): [string, string][] {
  const found: [string, string][] = [];
  const document = parse(html);
  for (const form of document.querySelectorAll("form[data-action]")) {
    const page = new URL(form.getAttribute("action") || url, url).pathname;
    found.push([`${page} `, form.getAttribute("data-action") ?? ""]);
    const outside = form.id ? document.querySelectorAll(`button[form="${form.id}"]`) : [];
    for (const button of [...form.querySelectorAll("button[data-action]"), ...outside]) {
      const path = button.getAttribute("data-action");
      if (path) found.push([`${page} ${button.getAttribute("value") ?? ""}`, path]);
    }
  }
  return found;
}
