import { type BrowserContext, type BrowserContextOptions, type Page, test as base } from "@playwright/test";

import { Webhooks } from "../pages/webhooks.ts";
import { Account, type Person, type Role } from "./account.ts";
import type { Api } from "./api.ts";
import { Complaints } from "./console.ts";
import { Receiver } from "./receiver.ts";
import { Server } from "./server.ts";

export { expect } from "@playwright/test";

interface TestFixtures {
  account: Account;
  api: Api;
  /** One receiver; `receivers()` starts more. */
  receiver: Receiver;
  receivers: () => Promise<Receiver>;
  complaints: Complaints;
  /** A browser of somebody in the account, signed in. */
  browserOf: (role: Role, options?: BrowserContextOptions) => Promise<Page>;
  /** The list, as the account's admin sees it. */
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

  complaints: [
    async ({ context, javaScriptEnabled, server }, use, info) => {
      const complaints = new Complaints();
      complaints.watch(context, javaScriptEnabled ?? true);
      if (info.tags.includes(SCRIPTLESS.tag)) await forbidScripts(context, server, complaints);
      const before = server.log.length;
      await use(complaints);
      if (info.status !== info.expectedStatus) {
        await info.attach("server log", { body: server.log.slice(before), contentType: "text/plain" });
      }
      base.expect(complaints.found, "complaints in the browser's console").toEqual([]);
    },
    { auto: true },
  ],

  browserOf: async ({ browser, account, complaints, javaScriptEnabled, server }, use, info) => {
    const contexts: { close(): Promise<void> }[] = [];
    await use(async (role, options = {}) => {
      const scripted = options.javaScriptEnabled ?? javaScriptEnabled ?? true;
      const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: scripted, ...options });
      contexts.push(context);
      complaints.watch(context, scripted);
      if (info.tags.includes(SCRIPTLESS.tag)) await forbidScripts(context, server, complaints);
      const page = await context.newPage();
      await signIn(page, await account.person(role));
      return page;
    });
    await Promise.all(contexts.map((context) => context.close()));
  },

  webhooks: async ({ page, account }, use) => {
    await signIn(page, await account.person("admin"));
    const webhooks = new Webhooks(page);
    await webhooks.open();
    await use(webhooks);
  },
});

/** Sets the time zone first: otherwise the first page loads a script that detects it. */
async function forbidScripts(context: BrowserContext, server: Server, complaints: Complaints): Promise<void> {
  await context.addCookies([{ name: "zone", value: "UTC", url: server.url }]);
  complaints.forbidScripts(context);
}

/** Without the form, which `login.spec.ts` is about. */
export async function signIn(page: Page, person: Person): Promise<void> {
  const answer = await page.request.post("/login", { form: { ...person }, maxRedirects: 0 });
  base.expect(answer.status(), "signing in").toBe(303);
}

/**
 * For pages that load no script: the journey is the same with and without JavaScript, so it runs once, with JavaScript.
 * The test fails if a page loads a script.
 */
export const SCRIPTLESS = { tag: "@scriptless" };

/** For the few things that only a script can do. */
export function needsScript(): void {
  test.skip(({ javaScriptEnabled }) => javaScriptEnabled === false, "needs JavaScript");
}
