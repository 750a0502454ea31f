import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";

import type { BrowserContext, Request as PageRequest } from "@playwright/test";
import { type HTMLElement, parse } from "node-html-parser";

/** Name of the folder, inside the output folder, that collects the visits of all tests. */
export const VISITS = "visits";

/** A page that was requested, or a form that was submitted, without JavaScript. */
interface Request {
  method: string;
  path: string;
  /** Names of the fields that were sent. */
  fields: string[];
  /** Value of the button that submitted the form. */
  button: string;
}

/** A form of a page, as one of its buttons submits it. */
export interface Form extends Request {
  /** Path of the server function that the form calls. */
  function: string;
  /** Names of the fields that are always sent. */
  hidden: string[];
}

/** A line of such a file. */
export type Visit = Request | Form;

/** Records what browsers reach without JavaScript. `routes.spec.ts` compares it with the routes. */
export class Visits {
  private readonly visits: Visit[] = [];
  private readonly pages: Promise<Form[]>[] = [];

  watch(context: BrowserContext, scripted: boolean): void {
    context.on("response", (response) => {
      const request = response.request();
      if (!request.isNavigationRequest() || response.status() >= 400) return;
      if (!scripted) this.visits.push(visitOf(request));
      if (response.headers()["content-type"]?.startsWith("text/html")) {
        // The browser drops the text of a page that is left soon. Another test has read it.
        this.pages.push(response.text().then((html) => formsOf(html, request.url()), () => []));
      }
    });
  }

  async save(outputFolder: string, worker: number): Promise<void> {
    const visits = [...this.visits, ...(await Promise.all(this.pages)).flat()];
    const folder = join(outputFolder, VISITS);
    await mkdir(folder, { recursive: true });
    const lines = new Set(visits.map((visit) => `${JSON.stringify(visit)}\n`));
    await appendFile(join(folder, `${worker}.jsonl`), [...lines].join(""));
  }
}

function visitOf(request: PageRequest): Request {
  const { pathname, searchParams } = new URL(request.url());
  const sent = request.method() === "POST" ? new URLSearchParams(request.postData() ?? "") : searchParams;
  const fields = [...new Set(sent.keys())].filter((name) => name !== "do");
  return { method: request.method(), path: pathname, fields, button: sent.get("do") ?? "" };
}

/** The forms that call a server function, once for each of their buttons. */
function formsOf(html: string, url: string): Form[] {
  const found: Form[] = [];
  const document = parse(html);
  for (const form of document.querySelectorAll("form[data-action]")) {
    const outside = form.id ? document.querySelectorAll(`[form="${form.id}"]`) : [];
    const controls = [...form.querySelectorAll("input, select, textarea, button"), ...outside];
    const names = (all: HTMLElement[]) => [...new Set(all.map((one) => one.getAttribute("name") ?? ""))].filter(Boolean);
    const [buttons, others] = [controls.filter(isButton), controls.filter((control) => !isButton(control))];
    const shape = {
      method: (form.getAttribute("method") ?? "get").toUpperCase(),
      path: new URL(form.getAttribute("action") || url, url).pathname,
      fields: names(others),
      hidden: names(others.filter((input) => input.getAttribute("type") === "hidden")),
    };
    const called = form.getAttribute("data-action") ?? "";
    found.push({ ...shape, button: "", function: called });
    for (const button of buttons) {
      const value = button.getAttribute("value") ?? "";
      found.push({ ...shape, button: value, function: button.getAttribute("data-action") ?? called });
    }
  }
  return found;
}

/** A form with a single button names it in a hidden field. */
function isButton(control: HTMLElement): boolean {
  return control.getAttribute("name") === "do";
}
