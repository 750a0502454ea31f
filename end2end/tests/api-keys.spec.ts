import { API_KEYS, ApiKeys } from "../pages/api-keys.ts";
import { Api } from "../support/api.ts";
import { expectAccessible } from "../support/axe.ts";
import { expect, needsScript, test } from "../support/test.ts";

// axe checks each state three times, which is slow on a busy machine.
test.describe.configure({ timeout: 120_000 });

test("key is created, shown once, used and revoked", async ({ signedInPage, server }) => {
  const keys = new ApiKeys(await signedInPage("admin"));
  await keys.page.goto("/integrations/webhook");
  await keys.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "API keys" }).click();
  await expect(keys.page.getByText("No API keys yet")).toBeVisible();

  const key = await keys.add("Publisher");
  expect(key).toMatch(/^ck_[\w-]{43}$/);
  expect(keys.page.url()).not.toContain(key);
  const machine = new Api(server.url, key);
  await machine.publish("chat");
  await expect(keys.row("Publisher")).toContainText("events:write");
  await expect(keys.row("Publisher")).toContainText("Active");
  await expect(keys.row("Publisher")).toContainText("Never expires");

  await keys.open();
  await expect(keys.newKey).toBeHidden();
  expect(await keys.page.content()).not.toContain(key);
  await expect(keys.row("Publisher")).toContainText(`${key.slice(0, 10)}…`);

  await keys.revokeLink("Publisher").click();
  const dialog = keys.revokeDialog("Publisher");
  await expect(dialog).toHaveAccessibleDescription(/will be rejected immediately/);
  await dialog.getByRole("button", { name: "Revoke key", exact: true }).click();
  await expect(keys.page.getByRole("status").filter({ hasText: "revoked" })).toHaveText("API key “Publisher” revoked.");
  await expect(keys.row("Publisher")).toContainText("Revoked");
  await expect(keys.revokeLink("Publisher")).toBeHidden();
  await expect(machine.publish("chat")).rejects.toThrow("returned 401");
  expect(server.log).not.toContain(key);
});

test("invalid field shows its error and has the focus, and other input is kept", async ({ signedInPage }) => {
  const keys = new ApiKeys(await signedInPage("admin"));
  await keys.open();
  await keys.openAddDialog();
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
  await expect(keys.addDialog.getByText("Choose at least one scope.")).toBeVisible();
  await expect(keys.name).toHaveValue("Nightly");

  await keys.scope("events:write").check();
  await expect(keys.lastDay).toBeHidden();
  await keys.expires.selectOption("Custom date");
  await keys.lastDay.fill("2020-02-29");
  await keys.submit();
  await expect(keys.lastDay).toHaveAttribute("aria-invalid", "true");
  await expect(keys.lastDay).toBeFocused();
  await keys.expires.selectOption("In 90 days");
  await keys.submit();
  await expect(keys.newKey).toBeVisible();
  await expect(keys.row("Nightly")).toContainText("Expires");

  await keys.openAddDialog();
  await keys.name.fill("Nightly");
  await keys.submit();
  await expect(keys.name).toHaveAccessibleDescription(/^A key named “Nightly” already exists\./);
});

test("revoke dialog can be cancelled by keyboard, and the focus returns", async ({ signedInPage }) => {
  const keys = new ApiKeys(await signedInPage("admin"));
  await keys.open();
  await keys.add("Publisher");
  await keys.open();
  await keys.revokeLink("Publisher").focus();
  await keys.page.keyboard.press("Enter");
  const cancel = keys.revokeDialog("Publisher").getByRole("button", { name: "Cancel", exact: true });
  await expect(cancel).toBeFocused();
  await keys.page.keyboard.press("Enter");
  await expect(keys.page).toHaveURL(API_KEYS);
  await expect(keys.revokeLink("Publisher")).toBeFocused();
  await keys.addLink.focus();
  await keys.page.keyboard.press("Enter");
  await keys.addDialog.getByRole("button", { name: "Cancel", exact: true }).click();
  await expect(keys.addLink).toBeFocused();
});

test("non-admins see an error page", async ({ signedInPage }) => {
  const page = await signedInPage("member");
  await page.goto("/integrations/webhook");
  await expect(page.getByRole("link", { name: "API keys" })).toBeHidden();
  await page.goto(API_KEYS);
  await expect(page.getByText("Only admins may manage API keys.")).toBeVisible();
});

test("list of keys is accessible, also with a new key", async ({ signedInPage }) => {
  const keys = new ApiKeys(await signedInPage("admin"));
  await keys.open();
  await expectAccessible(keys.page);
  await keys.add("K".repeat(100));
  await expectAccessible(keys.page);
});

test("dialogs for keys are accessible, also with errors", async ({ signedInPage }) => {
  const keys = new ApiKeys(await signedInPage("admin"));
  await keys.open();
  await keys.add("K".repeat(100));
  await keys.openAddDialog();
  await keys.name.fill("");
  await keys.expires.selectOption("Custom date");
  await keys.submit();
  await expectAccessible(keys.page);
  await keys.open();
  await keys.revokeLink("K".repeat(100)).click();
  await expectAccessible(keys.page);
});

test.describe("with JavaScript", () => {
  needsScript();

  test("button copies the key, and Escape closes a dialog", async ({ signedInPage }) => {
    const page = await signedInPage("admin", { permissions: ["clipboard-read", "clipboard-write"] });
    const keys = new ApiKeys(page);
    await keys.open();
    const key = await keys.add("Publisher");
    await keys.newKey.getByRole("button", { name: "Copy", exact: true }).click();
    await expect(keys.newKey.getByText("Copied")).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key);
    await keys.revokeLink("Publisher").click();
    await expect(keys.revokeDialog("Publisher")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(page).toHaveURL(API_KEYS);
  });
});
