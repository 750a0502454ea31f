import { type Page, type Request, expect } from "@playwright/test";

/** Records the requests of a page that changes in place. */
export class RequestRecorder {
  /** Server functions by name and pages by path: `POST edit`, `GET /integrations/webhook/new`. */
  readonly requests: string[] = [];

  private constructor(readonly page: Page) {}

  /** Starts recording. Marks `window`, because the mark does not survive loading another document. */
  static async start(page: Page): Promise<RequestRecorder> {
    const recorder = new RequestRecorder(page);
    // The island that navigates in place runs once the script has loaded.
    await expect.poll(() => page.evaluate(() => "__hydrateIsland" in window)).toBe(true);
    await page.evaluate(() => Object.assign(window, { marker: true }));
    page.on("request", (request) => recorder.record(request));
    return recorder;
  }

  private record(request: Request): void {
    if (!["document", "fetch"].includes(request.resourceType())) return;
    const path = new URL(request.url()).pathname;
    this.requests.push(`${request.method()} ${path.includes("/actions/") ? path.split("/").pop() : path}`);
  }

  /** Names of the called server functions. */
  get actions(): string[] {
    return this.requests.filter((line) => line.startsWith("POST ")).map((line) => line.slice("POST ".length));
  }

  async expectSameDocument(): Promise<void> {
    expect(await this.page.evaluate(() => "marker" in window), "a document was loaded").toBe(true);
  }
}

export const ACTIONS = "**/actions/*";
