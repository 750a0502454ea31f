import type { Locator, Page } from "@playwright/test";

import { LIST, Webhooks, type WebhookDialog } from "../pages/webhooks.ts";
import { ACTIONS, RequestRecorder } from "../support/in-place.ts";
import { expectAccessible } from "../support/axe.ts";
import { expect, needsScript, signIn, test } from "../support/test.ts";

needsScript();

const URL = "https://example.com/";
const FILLED = { url: URL, name: "Orders", events: ["chat"] };

async function openDialog(webhooks: Webhooks, name: string): Promise<WebhookDialog> {
  const dialog = await webhooks.openEditDialog(name);
  await webhooks.expectModal(dialog.root);
  return dialog;
}

test.describe("dialogs open and close over the list", () => {
  test("with links and buttons, and the focus returns", async ({ webhooks, api }) => {
    const { id } = await api.add({ name: "Orders", url: URL });
    await webhooks.open("?q=ord");
    const { page } = webhooks;
    const recorder = await RequestRecorder.start(page);

    const dialog = await openDialog(webhooks, "Orders");
    await expect(page).toHaveURL(`${LIST}/${id}?q=ord`);
    await dialog.button("Cancel").click();
    await webhooks.expectList();
    await expect(page).toHaveURL(`${LIST}?q=ord`);
    await expect(webhooks.link("Orders")).toBeFocused();

    await webhooks.openAddDialog();
    await expect(page).toHaveURL(`${LIST}/new?q=ord`);
    await page.keyboard.press("Escape");
    await webhooks.expectList();
    await expect(webhooks.addLink).toBeFocused();

    await openDialog(webhooks, "Orders");
    await page.getByRole("link", { name: "Send test event" }).click();
    await expect(page.getByRole("dialog", { name: "Send test event" })).toBeVisible();
    await page.getByRole("button", { name: "Close" }).click();
    await webhooks.expectList();

    const deleteDialog = await webhooks.openDeleteDialog("Orders");
    await expect(deleteDialog.getByRole("button", { name: "Cancel" })).toBeFocused();
    await page.keyboard.press("Escape");
    await webhooks.expectList();
    await recorder.expectSameDocument();
  });

  test("with Back and Forward", async ({ webhooks, api }) => {
    await api.add({ name: "Orders", url: URL });
    await webhooks.open();
    const { page } = webhooks;
    const recorder = await RequestRecorder.start(page);
    const dialog = await openDialog(webhooks, "Orders");
    await page.goBack();
    await webhooks.expectList();
    await page.goForward();
    await expect(dialog.root).toBeVisible();
    await webhooks.expectModal(dialog.root);
    await page.goBack();
    await webhooks.expectList();
    await recorder.expectSameDocument();
  });

  test("with Back several times, faster than pages load", async ({ webhooks, api }) => {
    for (const name of ["Orders", "Invoices"]) await api.add({ name, url: URL });
    await webhooks.open();
    const { page } = webhooks;
    const recorder = await RequestRecorder.start(page);
    for (const name of ["Orders", "Invoices", "Orders"]) {
      await openDialog(webhooks, name);
      await webhooks.editDialog.button("Cancel").click();
      await webhooks.expectList();
    }
    await openDialog(webhooks, "Invoices");
    await page.evaluate(() => {
      for (let step = 0; step < 3; step++) history.back();
    });
    await webhooks.expectList();
    await page.waitForTimeout(300);
    await webhooks.expectList();
    await webhooks.expectNames("Invoices", "Orders");
    await recorder.expectSameDocument();
  });

  test("with Back and Forward after a reload, before the script has loaded", async ({ webhooks, api }) => {
    await api.add({ name: "Orders", url: URL });
    await webhooks.open();
    const { page } = webhooks;
    const confirmation = await webhooks.openDeleteDialog("Orders");
    let load = (): void => undefined;
    const loading = new Promise<void>((resolve) => {
      load = resolve;
    });
    await page.route("**/*.wasm", async (route) => {
      await loading;
      await route.continue();
    });
    await page.reload({ waitUntil: "commit" });
    await expect(confirmation).toBeVisible();
    await page.goBack({ waitUntil: "commit" });
    load();
    await expect(webhooks.editDialog.name).toHaveValue("Orders");
    await page.goBack();
    await webhooks.expectList();
    await page.goForward();
    await expect(webhooks.editDialog.name).toHaveValue("Orders");
  });

  test("without fetching the list again or changing its scroll position", async ({ webhooks, api }) => {
    for (let number = 10; number < 40; number++) await api.add({ name: `Webhook ${number}`, url: URL });
    await webhooks.open();
    const { page } = webhooks;
    const recorder = await RequestRecorder.start(page);
    await webhooks.link("Webhook 10").scrollIntoViewIfNeeded();
    // Position of the row in the window.
    const top = async () => Math.round((await webhooks.row("Webhook 10").boundingBox())!.y);
    const before = await top();
    expect(await page.evaluate(() => scrollY)).toBeGreaterThan(0);
    const fetched = page.waitForResponse((response) => response.request().resourceType() === "fetch");
    const dialog = await openDialog(webhooks, "Webhook 10");
    expect(await (await fetched).text()).not.toContain("Webhook 20");
    expect(await top()).toBe(before);
    await dialog.fill({ name: "Webhook 10, saved" });
    await dialog.button("Save").click();
    await webhooks.expectMessage("Webhook “Webhook 10, saved” saved.");
    await expect(page.getByText("Webhook “Webhook 10, saved” saved.")).toBeInViewport();
    expect(Math.round((await webhooks.row("Webhook 10, saved").boundingBox())!.y)).toBe(before);
    await recorder.expectSameDocument();
  });

  test("click anywhere on a row opens it, in a new tab with a modifier key", async ({ webhooks, api }) => {
    await api.add({ name: "Orders", url: URL });
    await webhooks.open();
    const { page } = webhooks;
    const recorder = await RequestRecorder.start(page);
    const tab = page.context().waitForEvent("page");
    await webhooks.link("Orders").click({ modifiers: ["ControlOrMeta"] });
    await expect(new Webhooks(await tab).editDialog.root).toBeVisible();
    await webhooks.expectList();
    // The link of the name covers the whole row.
    await webhooks.row("Orders").getByText(URL).click({ force: true });
    await expect(webhooks.editDialog.root).toBeVisible();
    await recorder.expectSameDocument();
  });
});

test.describe("changes appear in place", () => {
  test("add, edit, pause, resume and delete", async ({ webhooks }) => {
    const { page } = webhooks;
    const recorder = await RequestRecorder.start(page);
    const status = page.getByRole("status").filter({ hasText: "Orders" });
    await webhooks.openAddDialog();
    await webhooks.addDialog.fill(FILLED);
    await webhooks.addDialog.button("Add").click();
    await expect(status).toHaveText("Webhook “Orders” added.");
    await webhooks.expectList();
    await expect(webhooks.row("Orders")).toHaveClass(/row--fresh/);

    const row = await webhooks.row("Orders").elementHandle();
    const editDialog = await openDialog(webhooks, "Orders");
    await editDialog.fill({ url: "https://moved.example/" });
    await editDialog.button("Save").click();
    await expect(status).toHaveText("Webhook “Orders” saved.");
    await expect(webhooks.row("Orders").getByText("https://moved.example/")).toBeVisible();
    expect(await row!.evaluate((element) => element.isConnected), "the row is still the same").toBe(true);
    await expect(webhooks.link("Orders")).toBeFocused();

    for (const [button, done, badge] of [["Pause", "paused", "Paused"], ["Resume", "resumed", "Active"]] as const) {
      const dialog = await openDialog(webhooks, "Orders");
      await dialog.button(button).click();
      await expect(status).toHaveText(`Webhook “Orders” ${done}.`);
      await expect(webhooks.row("Orders").getByText(badge, { exact: true })).toBeVisible();
    }

    const deleteDialog = await webhooks.openDeleteDialog("Orders");
    await deleteDialog.getByRole("button", { name: "Delete webhook" }).click();
    await expect(status).toHaveText("Webhook “Orders” deleted.");
    await expect(webhooks.link("Orders")).toHaveCount(0);
    await webhooks.expectList();
    await recorder.expectSameDocument();
    const changes = recorder.actions.filter((name) => !name.startsWith("check-"));
    expect(changes).toEqual(["add", "edit", "pause", "resume", "delete"]);
  });

  test("Back after saving opens the list, not the form", async ({ webhooks, api }) => {
    await api.add({ name: "Orders", url: URL });
    await webhooks.open("?status=active");
    await webhooks.open();
    const recorder = await RequestRecorder.start(webhooks.page);
    const dialog = await openDialog(webhooks, "Orders");
    await dialog.fill({ name: "Renamed" });
    await dialog.button("Save").click();
    await webhooks.expectMessage("Webhook “Renamed” saved.");
    await webhooks.page.goBack();
    await webhooks.expectList();
    await recorder.expectSameDocument();
  });

  test("in a dialog opened by URL, and after a reload", async ({ webhooks, api }) => {
    const { id } = await api.add({ name: "Orders", url: URL });
    const { page } = webhooks;
    await page.goto(`${LIST}/${id}`);
    await page.reload();
    await webhooks.expectModal(webhooks.editDialog.root);
    const recorder = await RequestRecorder.start(page);
    await webhooks.editDialog.fill({ name: "Renamed" });
    await webhooks.editDialog.button("Save").click();
    await webhooks.expectMessage("Webhook “Renamed” saved.");
    await webhooks.expectList();
    await webhooks.openAddDialog();
    await recorder.expectSameDocument();
  });

  test("revealing and rotating a secret keeps the input, and saving causes no conflict", async ({
    webhooks,
    api,
  }) => {
    const { secret } = await api.add({ name: "Orders", url: URL });
    await webhooks.open();
    const recorder = await RequestRecorder.start(webhooks.page);
    const dialog = await openDialog(webhooks, "Orders");
    await dialog.fill({ name: "Renamed" });
    await dialog.button("Reveal").click();
    await expect(dialog.root.getByText(secret, { exact: true })).toBeFocused();
    await dialog.button("Rotate").click();
    await expect(dialog.root.getByRole("status").filter({ hasText: "The secret was rotated." })).toBeVisible();
    await expect(dialog.root.getByText(secret, { exact: true })).toHaveCount(0);
    await dialog.expectFields({ name: "Renamed" });
    await dialog.button("Save").click();
    await webhooks.expectMessage("Webhook “Renamed” saved.");
    await recorder.expectSameDocument();
    expect(recorder.actions.filter((name) => !name.startsWith("check-"))).toEqual(["reveal-secret", "rotate-secret", "edit"]);
  });

  test("Pause keeps the input and becomes Resume", async ({ webhooks, api }) => {
    await api.add({ name: "Orders", url: URL });
    await webhooks.open();
    const recorder = await RequestRecorder.start(webhooks.page);
    const dialog = await openDialog(webhooks, "Orders");
    await dialog.fill({ name: "Renamed" });
    await dialog.button("Pause").click();
    await expect(dialog.root.getByRole("status").filter({ hasText: "paused" })).toHaveText(
      "Webhook “Orders” paused. Your changes below are not saved yet.",
    );
    await dialog.expectFields({ name: "Renamed" });
    await dialog.button("Resume").click();
    await expect(dialog.button("Pause")).toBeVisible();
    await dialog.button("Save").click();
    await webhooks.expectMessage("Webhook “Renamed” saved.");
    await recorder.expectSameDocument();
  });

  test("test event shows its result each time", async ({ webhooks, api, receiver }) => {
    await api.add({ name: "Orders", url: receiver.url() });
    await webhooks.open();
    const { page } = webhooks;
    const recorder = await RequestRecorder.start(page);
    await openDialog(webhooks, "Orders");
    await page.getByRole("link", { name: "Send test event" }).click();
    const dialog = page.getByRole("dialog", { name: "Send test event" });
    await dialog.getByRole("button", { name: "Send test event" }).click();
    await expect(dialog.getByText("The receiver accepted the event.")).toBeVisible();
    receiver.response = { status: 500 };
    await dialog.getByRole("button", { name: "Send test event" }).click();
    await expect(dialog.getByText("The receiver responded, but did not accept the event.")).toBeVisible();
    await recorder.expectSameDocument();
    expect(recorder.actions).toEqual(["test", "test"]);
  });

  test("resend, and preview and start a recovery", async ({ webhooks, api, receiver }) => {
    const { page } = webhooks;
    receiver.response = { status: 400 };
    const { id } = await api.add({ name: "Orders", url: receiver.url() });
    await api.publish("chat");
    const statuses = async () => (await api.deliveries(id)).map((delivery) => delivery.status);
    await expect.poll(statuses, { timeout: 15_000 }).toEqual(["failed"]);
    receiver.response = { status: 200 };
    await page.goto(`${LIST}/deliveries/${(await api.deliveries(id))[0]!.id}`);
    const resending = await RequestRecorder.start(page);
    await page.getByRole("button", { name: "Resend" }).click();
    await expect(page.getByRole("status").filter({ hasText: "It is being sent again." })).toBeVisible();
    await resending.expectSameDocument();
    expect(resending.actions).toEqual(["resend"]);
    await expect.poll(statuses).toEqual(["delivered"]);

    await page.goto(`${LIST}/${id}/recover`);
    const recovering = await RequestRecorder.start(page);
    await page.getByRole("radio", { name: "Everything missed" }).check();
    await page.getByRole("button", { name: "Preview" }).click();
    await expect(page.getByRole("heading", { name: "Preview" })).toBeVisible();
    await expect(page).toHaveURL(/\?scope=missed&since=/);
    await recovering.expectSameDocument();
    expect(recovering.actions).toEqual(["preview-recovery"]);
  });

  test("keys, users, sessions, time zone and theme", async ({ webhooks: { page }, account }) => {
    const recorder = await RequestRecorder.start(page);
    await page.locator("summary").filter({ hasText: "@" }).click();
    await page.getByRole("button", { name: "Dark" }).click();
    await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
    await recorder.expectSameDocument();

    await page.goto("/settings/api-keys");
    const keys = await RequestRecorder.start(page);
    await page.getByRole("link", { name: "+ Add API key" }).first().click();
    const addDialog = page.getByRole("dialog", { name: "Add API key" });
    await addDialog.getByLabel("Name").fill("Publisher");
    await addDialog.getByRole("button", { name: "Add", exact: true }).click();
    await expect(page.getByRole("heading", { name: "API key “Publisher” added" })).toBeVisible();
    await expect(page.locator("code[autofocus]")).toBeFocused();
    await expect(page.getByRole("button", { name: "Copy" })).toBeVisible();
    await page.getByRole("row").filter({ hasText: "Publisher" }).getByRole("link", { name: "Revoke" }).click();
    await page.getByRole("button", { name: "Revoke key" }).click();
    await expect(page.getByRole("status").filter({ hasText: "revoked" })).toHaveText("API key “Publisher” revoked.");
    await expect(page.getByRole("heading", { name: "API key “Publisher” added" })).toHaveCount(0);
    await keys.expectSameDocument();
    expect(keys.actions).toEqual(["add-api-key", "revoke-api-key"]);

    await page.goto("/settings/users");
    const users = await RequestRecorder.start(page);
    const email = `guest-${Date.now()}@caleida.test`;
    await page.getByRole("textbox", { name: "Email" }).fill("not-an-email");
    await page.getByRole("button", { name: "Create invite link" }).click();
    await expect(page.getByRole("textbox", { name: "Email" })).toHaveAttribute("aria-invalid", "true");
    await page.getByRole("textbox", { name: "Email" }).fill(email);
    await page.getByRole("button", { name: "Create invite link" }).click();
    await expect(page.getByRole("heading", { name: `Link for ${email}` })).toBeVisible();
    await expect(page.getByRole("textbox", { name: "Email" })).toHaveValue("");
    const row = page.getByRole("row").filter({ hasText: email });
    await row.getByRole("button", { name: "New link" }).click();
    await row.getByRole("button", { name: "Revoke" }).click();
    await expect(row).toHaveCount(0);
    const user = await account.createUser("viewer");
    await page.goto("/settings/users");
    await page.getByRole("link", { name: user.email }).click();
    const one = await RequestRecorder.start(page);
    await page.getByRole("button", { name: "Disable" }).click();
    await expect(page.getByRole("status").filter({ hasText: "disabled" })).toBeVisible();
    await one.expectSameDocument();
    expect(users.actions).toEqual(["invite-user", "invite-user", "renew-invite", "revoke-invite", "disable-user"]);

    await page.goto("/settings/account");
    const own = await RequestRecorder.start(page);
    await page.getByLabel("Current password").fill("not mine at all");
    await page.getByLabel("New password").fill("a new and long password");
    await page.getByRole("button", { name: "Change password" }).click();
    await expect(page.getByLabel("Current password")).toBeFocused();
    await expect(page.getByText("This is not your password.")).toBeVisible();
    await page.getByRole("button", { name: "End all other sessions" }).or(page.getByText("This session")).first().waitFor();
    await own.expectSameDocument();
    expect(own.actions).toEqual(["change-password"]);
  });
});

test("roles, users, sessions, time zone and recoveries change in place too", async ({
  webhooks: { page },
  account,
  api,
  browser,
  receiver,
  server,
}) => {
  const user = await account.createUser("viewer");
  await page.goto("/settings/users");
  await page.getByRole("link", { name: user.email }).click();
  const address = page.url();
  const users = await RequestRecorder.start(page);
  await page.getByRole("radio", { name: "Member" }).check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").filter({ hasText: "is now a member" })).toBeVisible();
  await users.expectSameDocument();
  for (const [button, done] of [["Disable", "was disabled"], ["Enable", "can sign in again"]] as const) {
    await page.goto(address);
    const one = await RequestRecorder.start(page);
    await page.getByRole("button", { name: button }).click();
    await expect(page.getByRole("status").filter({ hasText: done })).toBeVisible();
    await one.expectSameDocument();
  }
  expect(users.actions).toEqual(["change-role", "disable-user", "enable-user"]);

  const admin = await account.createUser("admin");
  await signIn(page, admin);
  const others = await Promise.all([0, 1, 2].map(() => browser.newContext({ baseURL: server.url })));
  for (const other of others) await signIn(await other.newPage(), admin);
  await page.goto("/settings/account");
  const sessions = await RequestRecorder.start(page);
  await page.getByRole("button", { name: "End", exact: true }).first().click();
  await expect(page.getByRole("status").filter({ hasText: "The session was ended." })).toBeVisible();
  await page.getByRole("button", { name: "End all other sessions" }).click();
  await expect(page.getByRole("status").filter({ hasText: "2 sessions were ended." })).toBeVisible();
  await sessions.expectSameDocument();
  expect(sessions.actions).toEqual(["end-session", "end-other-sessions"]);
  await Promise.all(others.map((other) => other.close()));

  await page.goto("/settings/time-zone?back=%2Fsettings%2Faccount");
  const zone = await RequestRecorder.start(page);
  await page.getByRole("combobox", { name: "Time zone" }).selectOption("Asia/Tokyo");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Times are shown in Asia/Tokyo." })).toBeVisible();
  await expect(page).toHaveURL("/settings/account");
  await zone.expectSameDocument();
  expect(zone.actions).toEqual(["set-time-zone"]);

  receiver.response = { status: 400 };
  const { id } = await api.add({ name: "Orders", url: receiver.url() });
  await api.publish("chat");
  const statuses = async () => (await api.deliveries(id)).map((delivery) => delivery.status);
  await expect.poll(statuses, { timeout: 15_000 }).toEqual(["failed"]);
  receiver.response = { status: 200 };
  await page.goto(`${LIST}/${id}/recover?scope=failed`);
  const recovering = await RequestRecorder.start(page);
  await page.getByRole("button", { name: "Recover", exact: true }).click();
  await expect(page.getByRole("status").filter({ hasText: "The recovery has started." })).toBeVisible();
  await expect.poll(statuses).toEqual(["delivered"]);
  await recovering.expectSameDocument();
  expect(recovering.actions).toEqual(["start-recovery"]);
});

test.describe("a server function that fails", () => {
  const typed = { url: "https://example.com/hook", name: "Typed", events: ["chat", "insight.key"] };

  async function openFilledDialog(webhooks: Webhooks): Promise<{ dialog: WebhookDialog; recorder: RequestRecorder }> {
    const dialog = await webhooks.openAddDialog();
    await webhooks.expectModal(dialog.root);
    const recorder = await RequestRecorder.start(webhooks.page);
    await dialog.fill(typed);
    return { dialog, recorder };
  }

  async function expectRetrySaves(webhooks: Webhooks, dialog: WebhookDialog, recorder: RequestRecorder): Promise<void> {
    await dialog.expectFields(typed);
    await dialog.button("Add").click();
    await webhooks.expectMessage("Webhook “Typed” added.");
    await recorder.expectSameDocument();
  }

  test("offline: keeps the input, and a retry works", async ({ webhooks, consoleErrors }) => {
    consoleErrors.allow(/net::ERR_INTERNET_DISCONNECTED/);
    const { dialog, recorder } = await openFilledDialog(webhooks);
    const { page } = webhooks;
    await page.context().setOffline(true);
    await dialog.button("Add").click();
    await expect(dialog.root.getByRole("alert")).toHaveText(/^Caleida did not respond\. .*Check your connection and try again\.$/);
    await dialog.expectFields(typed);
    await page.context().setOffline(false);
    await expectAccessible(page);
    await expectRetrySaves(webhooks, dialog, recorder);
  });

  for (const [failure, status, body] of [
    ["503 from the server", 503, JSON.stringify({ error: "unavailable", message: "Try again in a moment.", fields: [] })],
    ["503 from a proxy", 503, "<html><h1>Service Unavailable</h1></html>"],
    ["empty 502", 502, ""],
  ] as const) {
    test(`${failure}: keeps the input, and a retry works`, async ({ webhooks, consoleErrors }) => {
      consoleErrors.allow(new RegExp(`status of ${status}`));
      const { dialog, recorder } = await openFilledDialog(webhooks);
      await webhooks.page.route(ACTIONS, (route) => route.fulfill({ status, body }), { times: 10 });
      await dialog.button("Add").click();
      await expect(dialog.root.getByRole("alert")).toHaveText(/try again/i);
      await dialog.expectFields(typed);
      await webhooks.page.unroute(ACTIONS);
      await expectRetrySaves(webhooks, dialog, recorder);
    });
  }

  test("signed out: saves after signing in in a new tab", async ({ webhooks, account }) => {
    const { dialog, recorder } = await openFilledDialog(webhooks);
    const { page } = webhooks;
    await page.context().clearCookies();
    await dialog.button("Add").click();
    const alert = dialog.root.getByRole("alert");
    await expect(alert).toHaveText(/^You are signed out\./);
    await dialog.expectFields(typed);
    const tab = page.context().waitForEvent("page");
    await alert.getByRole("link", { name: "Sign in (opens a new tab)" }).click();
    await expect((await tab).getByRole("heading", { name: "Sign in" })).toBeVisible();
    await signIn(await tab, await account.createUser("admin"));
    await expectRetrySaves(webhooks, dialog, recorder);
  });

  test("slow: shows progress and ignores a second press", async ({ webhooks }) => {
    const { dialog, recorder } = await openFilledDialog(webhooks);
    const { page } = webhooks;
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route("**/actions/add", async (route) => {
      await held;
      await route.continue();
    });
    await dialog.button("Add").click();
    await expect(dialog.button("Add")).toHaveAttribute("aria-busy", "true");
    await dialog.button("Add").click();
    await page.keyboard.press("Enter");
    await expect.poll(() => spinnerWidth(dialog.button("Add"))).toBeGreaterThan(5);
    await expectAccessible(page);
    release();
    await webhooks.expectMessage("Webhook “Typed” added.");
    expect(recorder.actions.filter((name) => name === "add")).toEqual(["add"]);
    await webhooks.expectNames("Typed");
    await recorder.expectSameDocument();
  });

  test("saved but not refreshed: shows a message and closes the dialog", async ({ webhooks, consoleErrors }) => {
    consoleErrors.allow(/net::ERR_FAILED/);
    const { dialog } = await openFilledDialog(webhooks);
    await webhooks.page.route(`**${LIST}`, (route) => route.abort());
    await dialog.button("Add").click();
    await expect(webhooks.page.getByRole("status").filter({ hasText: "The change was saved" })).toBeVisible();
    await expect(dialog.root).toHaveCount(0);
    await webhooks.page.unroute(`**${LIST}`);
    await webhooks.page.reload();
    await expect(webhooks.link("Typed")).toBeVisible();
  });

  test("dialog that fails to load leaves the list unchanged", async ({ webhooks, consoleErrors }) => {
    consoleErrors.allow(/status of 503/);
    const recorder = await RequestRecorder.start(webhooks.page);
    await webhooks.page.route(`**${LIST}/new`, (route) => route.fulfill({ status: 503, body: "later" }));
    await webhooks.addLink.click();
    await expect(webhooks.page.getByRole("status").filter({ hasText: "did not respond" })).toBeVisible();
    await webhooks.expectList();
    await recorder.expectSameDocument();
  });
});

async function spinnerWidth(button: Locator): Promise<number> {
  return button.evaluate((element) => parseFloat(getComputedStyle(element, "::after").inlineSize));
}

test("double click adds one webhook", async ({ webhooks }) => {
  const dialog = await webhooks.openAddDialog();
  await webhooks.expectModal(dialog.root);
  await dialog.fill(FILLED);
  await dialog.button("Add").dblclick();
  await webhooks.expectMessage("Webhook “Orders” added.");
  await webhooks.expectNames("Orders");
});

test("field errors appear in place and disappear when fixed", async ({ webhooks }) => {
  const dialog = await webhooks.openAddDialog();
  await webhooks.expectModal(dialog.root);
  const recorder = await RequestRecorder.start(webhooks.page);
  await dialog.fill({ url: "", name: "" });
  await dialog.button("Add").click();
  await dialog.expectFieldError(dialog.url, "Enter a URL that starts with https://.");
  await dialog.expectFieldError(dialog.name, "Enter a name for the webhook.");
  await dialog.expectFieldError(dialog.event("chat"), "Choose at least one event.");
  await expect(dialog.url).toBeFocused();
  await expectAccessible(webhooks.page);
  await dialog.fill(FILLED);
  await dialog.button("Add").click();
  await webhooks.expectMessage("Webhook “Orders” added.");
  await recorder.expectSameDocument();
});

test("taken name shows an error when the field loses focus", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: URL });
  const dialog = await webhooks.openAddDialog();
  await webhooks.expectModal(dialog.root);
  await dialog.name.fill("Orders");
  await webhooks.page.keyboard.press("Tab");
  await dialog.expectFieldError(dialog.name, "A webhook named “Orders” already exists.");
  await dialog.name.fill("Others");
  await webhooks.page.keyboard.press("Tab");
  await expect(dialog.name).not.toHaveAttribute("aria-invalid");
});

test("conflicting edits are resolved field by field", async ({
  webhooks,
  api,
  signedInPage,
  consoleErrors,
}) => {
  consoleErrors.allow(/net::ERR_INTERNET_DISCONNECTED/);
  await api.add({ name: "Orders", url: URL });
  await webhooks.open();
  const otherAdmin = new Webhooks(await signedInPage("admin"));
  await otherAdmin.open();
  const mine = await openDialog(webhooks, "Orders");
  const recorder = await RequestRecorder.start(webhooks.page);
  const first = await openDialog(otherAdmin, "Orders");
  await first.fill({ url: "https://first.example/", name: "Theirs" });
  await first.button("Save").click();
  await otherAdmin.expectMessage("Webhook “Theirs” saved.");

  await mine.fill({ url: "https://second.example/", name: "Mine", events: ["message"] });
  await mine.button("Save").click();
  const conflict = mine.root.getByRole("alert").filter({ hasText: "saved this webhook" });
  await expect(conflict).toBeFocused();
  for (const text of ["https://first.example/", "https://second.example/", "Theirs", "Mine", "chat", "message"]) {
    await expect(conflict).toContainText(text);
  }
  await expectAccessible(webhooks.page);
  const kept = conflict.getByRole("checkbox", { name: "Keep the saved URL" });
  await kept.check();
  // The choices survive a failed request.
  await webhooks.page.context().setOffline(true);
  await mine.button("Save").click();
  await expect(mine.root.getByText(/^Caleida did not respond/)).toBeFocused();
  await webhooks.page.context().setOffline(false);
  await expect(mine.root.getByRole("checkbox", { name: "Keep the saved URL" })).toBeChecked();
  await mine.button("Save").click();
  await webhooks.expectMessage("Webhook “Mine” saved.");
  await recorder.expectSameDocument();
  const [saved] = await api.webhooks();
  expect(saved).toMatchObject({ name: "Mine", url: "https://first.example/", events: ["message"] });
});

test.describe("leaving a dialog with unsaved input asks first", () => {
  async function openWithInput(webhooks: Webhooks): Promise<WebhookDialog> {
    const dialog = await webhooks.openAddDialog();
    await webhooks.expectModal(dialog.root);
    await dialog.name.fill("Typed");
    return dialog;
  }

  for (const [action, leave] of [
    ["Escape", (page: Page) => page.keyboard.press("Escape")],
    ["Back", (page: Page) => page.goBack()],
  ] as const) {
    test(`with ${action}`, async ({ webhooks }) => {
      const { page } = webhooks;
      const dialog = await openWithInput(webhooks);
      const recorder = await RequestRecorder.start(page);
      page.once("dialog", (confirmation) => confirmation.dismiss());
      await leave(page);
      await expect(dialog.root).toBeVisible();
      await dialog.expectFields({ name: "Typed" });
      await expect(page).toHaveURL(`${LIST}/new`);
      page.once("dialog", (confirmation) => {
        expect(confirmation.message()).toBe("Discard unsaved changes?");
        return confirmation.accept();
      });
      await leave(page);
      await webhooks.expectList();
      await recorder.expectSameDocument();
    });
  }

  test("except with Cancel or without unsaved input", async ({ webhooks }) => {
    const dialog = await openWithInput(webhooks);
    webhooks.page.on("dialog", () => expect(false, "unexpected confirmation").toBe(true));
    await dialog.button("Cancel").click();
    await webhooks.expectList();
    await webhooks.openAddDialog();
    await webhooks.page.keyboard.press("Escape");
    await webhooks.expectList();
  });
});

test.describe("filters apply while the user types", () => {
  test("results and URL change in place", async ({ webhooks, api }) => {
    for (const name of ["Orders", "Invoices", "Ordinary"]) await api.add({ name, url: URL });
    await webhooks.open();
    const { page } = webhooks;
    const recorder = await RequestRecorder.start(page);
    await webhooks.search.pressSequentially("ord");
    await webhooks.expectNames("Ordinary", "Orders");
    await expect(page).toHaveURL(`${LIST}?q=ord`);
    await expect(webhooks.search).toBeFocused();
    await expect(webhooks.search).toHaveValue("ord");
    await webhooks.status.selectOption("paused");
    await expect(page.getByText("No matches")).toBeVisible();
    await page.getByRole("link", { name: "Clear filters" }).first().click();
    await webhooks.expectNames("Ordinary", "Invoices", "Orders");
    await expect(webhooks.search).toHaveValue("");
    await expect(webhooks.status).toHaveValue("");
    await expect(page).toHaveURL(LIST);
    // All key strokes share one history entry.
    await page.goBack();
    await expect(page).toHaveURL(`${LIST}?q=ord&status=paused`);
    await page.goBack();
    await expect(page).toHaveURL(LIST);
    await webhooks.expectNames("Ordinary", "Invoices", "Orders");
    await recorder.expectSameDocument();
  });

  test("once an input method has composed the text", async ({ webhooks, api }) => {
    for (const name of ["会議", "Orders"]) await api.add({ name, url: URL });
    const { page } = webhooks;
    await page.clock.install();
    await webhooks.open();
    const recorder = await RequestRecorder.start(page);
    const keyboard = await page.context().newCDPSession(page);
    await webhooks.search.focus();
    for (const text of ["k", "か", "かい", "会議"]) {
      const end = text.length;
      await keyboard.send("Input.imeSetComposition", { text, selectionStart: end, selectionEnd: end });
      await page.clock.runFor(1_000);
    }
    expect(recorder.requests).toEqual([]);
    await keyboard.send("Input.insertText", { text: "会議" });
    await page.clock.runFor(1_000);
    await webhooks.expectNames("会議");
    expect(recorder.requests).toEqual([`GET ${LIST}`]);
  });

  test("slow earlier response never replaces a later one", async ({ webhooks, api }) => {
    for (const name of ["Orders", "Invoices"]) await api.add({ name, url: URL });
    await webhooks.open();
    const { page } = webhooks;
    await RequestRecorder.start(page);
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let first = true;
    await page.route(`**${LIST}?q=*`, async (route) => {
      if (first) {
        first = false;
        await held;
      }
      await route.continue().catch(() => {});
    });
    const requested = page.waitForRequest(/\?q=o$/);
    await webhooks.search.fill("o");
    await requested;
    await webhooks.search.fill("inv");
    await webhooks.expectNames("Invoices");
    release();
    await page.waitForTimeout(500);
    await webhooks.expectNames("Invoices");
    await expect(page).toHaveURL(`${LIST}?q=inv`);
  });

  test("in the logs", async ({ webhooks: { page }, api, receiver }) => {
    await api.add({ name: "Orders", url: receiver.url(), events: ["chat", "message"] });
    await api.publish("chat", {}, "chat-1");
    await api.publish("message", {}, "message-1");
    await expect.poll(() => api.delivered()).toBe(2);
    for (const log of [`${LIST}/deliveries`, `${LIST}/events`]) {
      await page.goto(log);
      const recorder = await RequestRecorder.start(page);
      await page.getByRole("combobox", { name: "Event type" }).selectOption("message");
      await expect(page.getByRole("link", { name: "chat-1" })).toHaveCount(0);
      await expect(page.getByRole("link", { name: "message-1" })).toBeVisible();
      await expect(page).toHaveURL(`${log}?type=message`);
      await recorder.expectSameDocument();
    }
  });
});
