import { type Page, type Request, expect } from "@playwright/test";

/** What a page asks the server for while it changes in place. */
export class InPlace {
  /** `POST edit`, `GET /integrations/webhook/new`: server functions by their name, pages by their path. */
  readonly asked: string[] = [];

  private constructor(readonly page: Page) {}

  /** From here on no document may be loaded: a marker on `window` would not survive it. */
  static async watch(page: Page): Promise<InPlace> {
    const watching = new InPlace(page);
    // The island that changes pages in place runs once the script has loaded.
    await expect.poll(() => page.evaluate(() => "__hydrateIsland" in window)).toBe(true);
    await page.evaluate(() => Object.assign(window, { marker: true }));
    page.on("request", (request) => watching.note(request));
    return watching;
  }

  private note(request: Request): void {
    if (!["document", "fetch"].includes(request.resourceType())) return;
    const path = new URL(request.url()).pathname;
    this.asked.push(`${request.method()} ${path.includes("/actions/") ? path.split("/").pop() : path}`);
  }

  /** The server functions that were called. */
  get called(): string[] {
    return this.asked.filter((asked) => asked.startsWith("POST ")).map((asked) => asked.slice("POST ".length));
  }

  async expectSameDocument(): Promise<void> {
    expect(await this.page.evaluate(() => "marker" in window), "a document was loaded").toBe(true);
  }
}

export const ACTIONS = "**/actions/*";
