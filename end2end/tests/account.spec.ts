import type { Page } from "@playwright/test";

import { AccountPage } from "../pages/account.ts";
import { Login } from "../pages/login.ts";
import { Webhooks } from "../pages/webhooks.ts";
import type { Credentials } from "../support/account.ts";
import { expectAccessible } from "../support/axe.ts";
import { expect, signIn, test } from "../support/test.ts";

// axe checks each state three times, which is slow on a busy machine.
test.describe.configure({ timeout: 120_000 });

const NEW = "quite another password";

/** Signs in a user and opens the page “Account”. */
async function at(page: Page, user: Credentials): Promise<AccountPage> {
  await signIn(page, user);
  const own = new AccountPage(page);
  await own.open();
  return own;
}

test("shows the email and role of the user", async ({ page, account }) => {
  const user = await account.createUser("viewer");
  await signIn(page, user);
  await page.goto("/integrations/webhook");
  await page.getByRole("link", { name: "Account", exact: true }).click();
  const own = new AccountPage(page);
  await expect(own.heading).toBeVisible();
  await expect(page.getByRole("main")).toContainText(`You are signed in as ${user.email}, viewer.`);
  await expectAccessible(page);
});

test("password is changed by keyboard, and only other sessions end", async ({
  page,
  account,
  browser,
  server,
  javaScriptEnabled,
}) => {
  const user = await account.createUser("member");
  const own = await at(page, user);
  const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: javaScriptEnabled ?? true });
  const elsewhere = await context.newPage();
  await signIn(elsewhere, user);
  await elsewhere.goto("/integrations/webhook");
  await new Webhooks(elsewhere).expectList();

  await own.old.focus();
  await page.keyboard.type(user.password);
  await page.keyboard.press("Tab");
  await page.keyboard.type(NEW);
  await page.keyboard.press("Enter");
  await own.expectMessage("Your password was changed. Your other sessions have ended.");
  await expect(own.sessions).toHaveCount(1);

  const login = new Login(elsewhere);
  await elsewhere.reload();
  await login.signIn(user);
  await expect(login.error).toHaveText("Email or password is wrong.");
  await login.signIn({ ...user, password: NEW });
  await new Webhooks(elsewhere).expectList();
  await context.close();
});

test("wrong or weak password shows an error at its field", async ({ page, account, javaScriptEnabled }) => {
  const user = await account.createUser("viewer");
  const own = await at(page, user);
  await own.changePassword("not their password", NEW);
  await expect(own.old).toHaveAttribute("aria-invalid", "true");
  await expect(own.old).toHaveAccessibleDescription(/This is not your password\./);
  await expect(own.old).toBeFocused();
  // Pages never contain passwords. With JavaScript the page is not replaced, so the input stays.
  await expect(own.old).toHaveValue(javaScriptEnabled ? "not their password" : "");
  await expectAccessible(page);
  await own.changePassword(user.password, "too short");
  await expect(own.new).toHaveAttribute("aria-invalid", "true");
  await expect(own.new).toHaveAccessibleDescription(/Use at least 12 characters\./);
  await expect(own.new).toBeFocused();
  await own.changePassword(user.password, NEW);
  await own.expectMessage("Your password was changed. Your other sessions have ended.");
  for (const field of [own.old, own.new]) await expect(field).toHaveValue("");
});

test("sessions are listed, and can be ended one by one or all at once", async ({ page, account, browser, server }) => {
  const user = await account.createUser("member");
  const own = await at(page, user);
  await expect(own.sessions).toHaveCount(1);
  await expect(own.sessions).toContainText("This session");
  await expect(own.endOthers).toHaveCount(0);

  const agents = ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "curl/8.9.1 <b>", "Opera"];
  const contexts = await Promise.all(agents.map((userAgent) => browser.newContext({ baseURL: server.url, userAgent })));
  const pages = await Promise.all(contexts.map((context) => context.newPage()));
  for (const other of pages) await signIn(other, user);
  await own.open();
  await expect(own.sessions).toHaveCount(4);
  await expectAccessible(page);
  const firefox = own.sessions.filter({ hasText: "Firefox on Linux" });
  await expect(own.sessions.filter({ hasText: "curl/8.9.1 <b>" })).toHaveCount(1);
  await firefox.getByRole("button", { name: "End" }).click();
  await own.expectMessage("The session was ended.");
  await expect(firefox).toHaveCount(0);
  await pages[0]!.goto("/integrations/webhook");
  await expect(new Login(pages[0]!).heading).toBeVisible();

  await own.endOthers.click();
  await own.expectMessage("2 sessions were ended.");
  await expect(own.sessions).toHaveCount(1);
  await pages[1]!.goto("/integrations/webhook");
  await expect(new Login(pages[1]!).heading).toBeVisible();
  await Promise.all(contexts.map((context) => context.close()));
});
