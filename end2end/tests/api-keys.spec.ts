import { API_KEYS, ApiKeys } from "../pages/api-keys.ts";
import { Api } from "../support/api.ts";
import { expectAccessible } from "../support/axe.ts";
import { expect, needsScript, test } from "../support/test.ts";

// axe looks three times at each state, which takes a busy machine its time.
test.describe.configure({ timeout: 120_000 });

test("a key is made, shown once, used and revoked", async ({ browserOf, server }) => {
  const keys = new ApiKeys(await browserOf("admin"));
  await keys.page.goto("/integrations/webhook");
  await keys.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "API keys" }).click();
  await expect(keys.page.getByText("No API keys yet")).toBeVisible();

  const key = await keys.make("Publisher");
  expect(key).toMatch(/^ck_[\w-]{43}$/);
  expect(keys.page.url()).not.toContain(key);
  const machine = new Api(server.url, key);
  await machine.publish("chat");
  await expect(keys.row("Publisher")).toContainText("events:write");
  await expect(keys.row("Publisher")).toContainText("Active");
  await expect(keys.row("Publisher")).toContainText("Never expires");

  await keys.open();
  await expect(keys.made).toBeHidden();
  expect(await keys.page.content()).not.toContain(key);
  await expect(keys.row("Publisher")).toContainText(`${key.slice(0, 10)}…`);

  await keys.revokeLink("Publisher").click();
  const dialog = keys.revoking("Publisher");
  await expect(dialog).toHaveAccessibleDescription(/will be refused from this moment on/);
  await dialog.getByRole("button", { name: "Revoke key", exact: true }).click();
  await expect(keys.page.getByRole("status").filter({ hasText: "revoked" })).toHaveText("API key “Publisher” revoked.");
  await expect(keys.row("Publisher")).toContainText("Revoked");
  await expect(keys.revokeLink("Publisher")).toBeHidden();
  await expect(machine.publish("chat")).rejects.toThrow("was answered 401");
  expect(server.log).not.toContain(key);
});

test("what is wrong is said at its field, which has the focus, and the rest is kept", async ({ browserOf }) => {
  const keys = new ApiKeys(await browserOf("admin"));
  await keys.open();
  await keys.openAdding();
  await expect(keys.name).toBeFocused();
  await keys.scope("webhooks:read").check();
  await keys.submit();
  await expect(keys.name).toHaveAttribute("aria-invalid", "true");
  await expect(keys.name).toHaveAccessibleDescription(/^Enter a name for the key\./);
  await expect(keys.name).toBeFocused();
  await expect(keys.scope("webhooks:read")).toBeChecked();

  await keys.name.fill("Nightly");
  await keys.scope("events:write").uncheck();
  await keys.scope("webhooks:read").uncheck();
  await keys.submit();
  await expect(keys.scope("events:write")).toBeFocused();
  await expect(keys.adding.getByText("Choose at least one scope.")).toBeVisible();
  await expect(keys.name).toHaveValue("Nightly");

  await keys.scope("events:write").check();
  await expect(keys.lastDay).toBeHidden();
  await keys.expires.selectOption("On a date");
  await keys.lastDay.fill("2020-02-29");
  await keys.submit();
  await expect(keys.lastDay).toHaveAttribute("aria-invalid", "true");
  await expect(keys.lastDay).toBeFocused();
  await keys.expires.selectOption("In 90 days");
  await keys.submit();
  await expect(keys.made).toBeVisible();
  await expect(keys.row("Nightly")).toContainText("Expires");

  await keys.openAdding();
  await keys.name.fill("Nightly");
  await keys.submit();
  await expect(keys.name).toHaveAccessibleDescription(/^A key named “Nightly” already exists\./);
});

test("to revoke can be left, by keyboard, and the focus is back where it was", async ({ browserOf }) => {
  const keys = new ApiKeys(await browserOf("admin"));
  await keys.open();
  await keys.make("Publisher");
  await keys.open();
  await keys.revokeLink("Publisher").focus();
  await keys.page.keyboard.press("Enter");
  const cancel = keys.revoking("Publisher").getByRole("button", { name: "Cancel", exact: true });
  await expect(cancel).toBeFocused();
  await keys.page.keyboard.press("Enter");
  await expect(keys.page).toHaveURL(API_KEYS);
  await expect(keys.revokeLink("Publisher")).toBeFocused();
  await keys.addLink.focus();
  await keys.page.keyboard.press("Enter");
  await keys.adding.getByRole("button", { name: "Cancel", exact: true }).click();
  await expect(keys.addLink).toBeFocused();
});

test("who is no admin is told so", async ({ browserOf }) => {
  const page = await browserOf("member");
  await page.goto("/integrations/webhook");
  await expect(page.getByRole("link", { name: "API keys" })).toBeHidden();
  await page.goto(API_KEYS);
  await expect(page.getByText("Only admins may manage API keys.")).toBeVisible();
});

test("the list of keys is accessible, also with a key that was just made", async ({ browserOf }) => {
  const keys = new ApiKeys(await browserOf("admin"));
  await keys.open();
  await expectAccessible(keys.page);
  await keys.make("K".repeat(100));
  await expectAccessible(keys.page);
});

test("the dialogs about keys are accessible, also after a refusal", async ({ browserOf }) => {
  const keys = new ApiKeys(await browserOf("admin"));
  await keys.open();
  await keys.make("K".repeat(100));
  await keys.openAdding();
  await keys.name.fill("");
  await keys.expires.selectOption("On a date");
  await keys.submit();
  await expectAccessible(keys.page);
  await keys.open();
  await keys.revokeLink("K".repeat(100)).click();
  await expectAccessible(keys.page);
});

test.describe("with JavaScript", () => {
  needsScript();

  test("the key is copied by a button, and Escape leaves a dialog", async ({ browserOf }) => {
    const page = await browserOf("admin", { permissions: ["clipboard-read", "clipboard-write"] });
    const keys = new ApiKeys(page);
    await keys.open();
    const key = await keys.make("Publisher");
    await keys.made.getByRole("button", { name: "Copy", exact: true }).click();
    await expect(keys.made.getByText("Copied")).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key);
    await keys.revokeLink("Publisher").click();
    await expect(keys.revoking("Publisher")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(page).toHaveURL(API_KEYS);
  });
});
