import type { Page } from "@playwright/test";

import { Login } from "../pages/login.ts";
import { Users } from "../pages/users.ts";
import { Webhooks } from "../pages/webhooks.ts";
import { expect, needsScript, test as base } from "../support/test.ts";

const HOST = "dashboard.test";

const test = base.extend<{ plainPage: Page }>({
  /** A page at another host than loopback, over http, signed in as an admin. Browsers disable some features there. */
  plainPage: async ({ playwright, browserName, launchOptions, server, account, consoleErrors }, use) => {
    const args = [...(launchOptions.args ?? []), `--host-resolver-rules=MAP ${HOST} 127.0.0.1`];
    const browser = await playwright[browserName].launch({ ...launchOptions, args });
    const context = await browser.newContext({ baseURL: server.url.replace("127.0.0.1", HOST) });
    consoleErrors.watch(context, true);
    consoleErrors.allow(/Cross-Origin-Opener-Policy header has been ignored/);
    const page = await context.newPage();
    const login = new Login(page);
    await login.open();
    expect(await page.evaluate(() => isSecureContext)).toBe(false);
    await login.signIn(await account.createUser("admin"));
    await expect(new Webhooks(page).heading).toBeVisible();
    await use(page);
    await browser.close();
  },
});

needsScript();

test("Copy works on pages and in dialogs", async ({ plainPage: page }) => {
  const webhooks = new Webhooks(page);
  const users = new Users(page);
  await users.open();
  const link = await users.invite(`copy-${Date.now()}@caleida.test`, "viewer");
  await users.button("Copy").click();
  await expect(page.getByText("Copied")).toBeVisible();
  await expect(users.button("Copy")).toBeFocused();
  await users.email.focus();
  await page.keyboard.press("Control+V");
  await expect(users.email).toHaveValue(link);

  await webhooks.open();
  const dialog = await webhooks.openAddDialog();
  await dialog.button("Generate new").click();
  const secret = await dialog.secret.inputValue();
  await dialog.button("Copy").click();
  await expect(dialog.root.getByText("Copied")).toBeVisible();
  await dialog.name.focus();
  await page.keyboard.press("Control+V");
  await expect(dialog.name).toHaveValue(secret);
});
