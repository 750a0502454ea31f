import { type BrowserContext, type BrowserContextOptions, type Page, type TestInfo, test as base } from "@playwright/test";

import { Webhooks } from "../pages/webhooks.ts";
import { Account, type Credentials, type Role } from "./account.ts";
import type { Api } from "./api.ts";
import { ConsoleErrors } from "./console.ts";
import { Receiver } from "./receiver.ts";
import { Server } from "./server.ts";
import { Visits } from "./visits.ts";

export { expect } from "@playwright/test";

interface TestFixtures {
  account: Account;
  api: Api;
  /** One receiver; `receivers()` starts more. */
  receiver: Receiver;
  receivers: () => Promise<Receiver>;
  consoleErrors: ConsoleErrors;
  visits: Visits;
  /** Returns a page in a new browser context, signed in as a new user with this role. */
  signedInPage: (role: Role, options?: BrowserContextOptions) => Promise<Page>;
  /** The list of webhooks, signed in as an admin. */
  webhooks: Webhooks;
}

interface WorkerFixtures {
  server: Server;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  server: [
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.stop();
    },
    { scope: "worker" },
  ],

  baseURL: ({ server }, use) => use(server.url),

  account: ({ server }, use) => use(new Account(server)),

  api: async ({ account }, use) => use(await account.api()),

  receivers: async ({}, use) => {
    const started: Receiver[] = [];
    await use(async () => {
      const receiver = await Receiver.start();
      started.push(receiver);
      return receiver;
    });
    await Promise.all(started.map((receiver) => receiver.stop()));
  },

  receiver: async ({ receivers }, use) => use(await receivers()),

  consoleErrors: [
    async ({ context, javaScriptEnabled, server }, use, info) => {
      const consoleErrors = new ConsoleErrors();
      consoleErrors.watch(context, javaScriptEnabled ?? true);
      if (info.tags.includes(SCRIPTLESS.tag)) await forbidScripts(context, server, consoleErrors);
      const before = server.log.length;
      await use(consoleErrors);
      if (info.status !== info.expectedStatus) {
        await info.attach("server log", { body: server.log.slice(before), contentType: "text/plain" });
      }
      base.expect(consoleErrors.unexpected, "unexpected errors in the browser's console").toEqual([]);
    },
    { auto: true },
  ],

  visits: [
    async ({ context, javaScriptEnabled }, use, info) => {
      const visits = new Visits();
      visits.watch(context, isScripted(javaScriptEnabled, info));
      await use(visits);
      await visits.save(info.project.outputDir, info.workerIndex);
    },
    { auto: true },
  ],

  signedInPage: async ({ browser, account, consoleErrors, visits, javaScriptEnabled, server }, use, info) => {
    const contexts: { close(): Promise<void> }[] = [];
    await use(async (role, options = {}) => {
      const scripted = options.javaScriptEnabled ?? javaScriptEnabled ?? true;
      const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: scripted, ...options });
      contexts.push(context);
      consoleErrors.watch(context, scripted);
      visits.watch(context, isScripted(scripted, info));
      if (info.tags.includes(SCRIPTLESS.tag)) await forbidScripts(context, server, consoleErrors);
      const page = await context.newPage();
      await signIn(page, await account.createUser(role));
      return page;
    });
    await Promise.all(contexts.map((context) => context.close()));
  },

  webhooks: async ({ page, account }, use) => {
    await signIn(page, await account.createUser("admin"));
    const webhooks = new Webhooks(page);
    await webhooks.open();
    await use(webhooks);
  },
});

/** Whether a test may use scripts in a browser with this setting. */
function isScripted(javaScriptEnabled: boolean | undefined, info: TestInfo): boolean {
  return javaScriptEnabled !== false && !info.tags.includes(SCRIPTLESS.tag);
}

/** Sets the time zone first: otherwise the first page loads a script that detects it. */
async function forbidScripts(context: BrowserContext, server: Server, consoleErrors: ConsoleErrors): Promise<void> {
  await context.addCookies([{ name: "zone", value: "UTC", url: server.url }]);
  consoleErrors.forbidScripts(context);
}

/** Signs in without the form. `login.spec.ts` tests the form. */
export async function signIn(page: Page, user: Credentials): Promise<void> {
  const response = await page.request.post("/login", { form: { ...user }, maxRedirects: 0 });
  base.expect(response.status(), "signing in").toBe(303);
}

/**
 * For pages that load no script: the journey is the same with and without JavaScript, so it runs once, with JavaScript.
 * The test fails if a page loads a script.
 */
export const SCRIPTLESS = { tag: "@scriptless" };

/** Skips tests that need JavaScript in the project without JavaScript. */
export function needsScript(): void {
  test.skip(({ javaScriptEnabled }) => javaScriptEnabled === false, "needs JavaScript");
}
