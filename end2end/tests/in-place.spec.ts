import type { Locator, Page } from "@playwright/test";

import { LIST, Webhooks, type WebhookDialog } from "../pages/webhooks.ts";
import { ACTIONS, InPlace } from "../support/in-place.ts";
import { expectAccessible } from "../support/axe.ts";
import { expect, needsScript, signIn, test } from "../support/test.ts";

needsScript();

const URL = "https://example.com/";
const FILLED = { url: URL, name: "Orders", events: ["chat"] };

async function opened(webhooks: Webhooks, name: string): Promise<WebhookDialog> {
  const dialog = await webhooks.openEditing(name);
  await webhooks.expectModal(dialog.root);
  return dialog;
}

test.describe("dialogs open and close over the list that is there", () => {
  test("by links and buttons, and the focus returns to what opened them", async ({ webhooks, api }) => {
    const { id } = await api.add({ name: "Orders", url: URL });
    await webhooks.open("?q=ord");
    const { page } = webhooks;
    const inPlace = await InPlace.watch(page);

    const dialog = await opened(webhooks, "Orders");
    await expect(page).toHaveURL(`${LIST}/${id}?q=ord`);
    await dialog.button("Cancel").click();
    await webhooks.expectList();
    await expect(page).toHaveURL(`${LIST}?q=ord`);
    await expect(webhooks.link("Orders")).toBeFocused();

    await webhooks.openAdding();
    await expect(page).toHaveURL(`${LIST}/new?q=ord`);
    await page.keyboard.press("Escape");
    await webhooks.expectList();
    await expect(webhooks.addLink).toBeFocused();

    await opened(webhooks, "Orders");
    await page.getByRole("link", { name: "Send test event" }).click();
    await expect(page.getByRole("dialog", { name: "Send test event" })).toBeVisible();
    await page.getByRole("button", { name: "Close" }).click();
    await webhooks.expectList();

    const deleting = await webhooks.openDeleting("Orders");
    await expect(deleting.getByRole("button", { name: "Cancel" })).toBeFocused();
    await page.keyboard.press("Escape");
    await webhooks.expectList();
    await inPlace.expectSameDocument();
  });

  test("by Back and Forward", async ({ webhooks, api }) => {
    await api.add({ name: "Orders", url: URL });
    await webhooks.open();
    const { page } = webhooks;
    const inPlace = await InPlace.watch(page);
    const dialog = await opened(webhooks, "Orders");
    await page.goBack();
    await webhooks.expectList();
    await page.goForward();
    await expect(dialog.root).toBeVisible();
    await webhooks.expectModal(dialog.root);
    await page.goBack();
    await webhooks.expectList();
    await inPlace.expectSameDocument();
  });

  test("by Back several times in a row, faster than pages come", async ({ webhooks, api }) => {
    for (const name of ["Orders", "Invoices"]) await api.add({ name, url: URL });
    await webhooks.open();
    const { page } = webhooks;
    const inPlace = await InPlace.watch(page);
    for (const name of ["Orders", "Invoices", "Orders"]) {
      await opened(webhooks, name);
      await webhooks.editing.button("Cancel").click();
      await webhooks.expectList();
    }
    await opened(webhooks, "Invoices");
    await page.evaluate(() => {
      for (let step = 0; step < 3; step++) history.back();
    });
    await webhooks.expectList();
    await page.waitForTimeout(300);
    await webhooks.expectList();
    await webhooks.expectNames("Invoices", "Orders");
    await inPlace.expectSameDocument();
  });

  test("by Back and Forward after a reload, before the script has loaded", async ({ webhooks, api }) => {
    await api.add({ name: "Orders", url: URL });
    await webhooks.open();
    const { page } = webhooks;
    const confirmation = await webhooks.openDeleting("Orders");
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
    await expect(webhooks.editing.name).toHaveValue("Orders");
    await page.goBack();
    await webhooks.expectList();
    await page.goForward();
    await expect(webhooks.editing.name).toHaveValue("Orders");
  });

  test("without fetching the list again, and where it was scrolled to", async ({ webhooks, api }) => {
    for (let number = 10; number < 40; number++) await api.add({ name: `Webhook ${number}`, url: URL });
    await webhooks.open();
    const { page } = webhooks;
    const inPlace = await InPlace.watch(page);
    await webhooks.link("Webhook 10").scrollIntoViewIfNeeded();
    // Where the row stands in the window, whatever appears above it.
    const top = async () => Math.round((await webhooks.row("Webhook 10").boundingBox())!.y);
    const before = await top();
    expect(await page.evaluate(() => scrollY)).toBeGreaterThan(0);
    const fetched = page.waitForResponse((response) => response.request().resourceType() === "fetch");
    const dialog = await opened(webhooks, "Webhook 10");
    expect(await (await fetched).text()).not.toContain("Webhook 20");
    expect(await top()).toBe(before);
    await dialog.fill({ name: "Webhook 10, saved" });
    await dialog.button("Save").click();
    await webhooks.expectMessage("Webhook “Webhook 10, saved” saved.");
    await expect(page.getByText("Webhook “Webhook 10, saved” saved.")).toBeInViewport();
    expect(Math.round((await webhooks.row("Webhook 10, saved").boundingBox())!.y)).toBe(before);
    await inPlace.expectSameDocument();
  });

  test("a row opens by a click anywhere, in a new tab by a click that asks for one", async ({ webhooks, api }) => {
    await api.add({ name: "Orders", url: URL });
    await webhooks.open();
    const { page } = webhooks;
    const inPlace = await InPlace.watch(page);
    const tab = page.context().waitForEvent("page");
    await webhooks.link("Orders").click({ modifiers: ["ControlOrMeta"] });
    await expect(new Webhooks(await tab).editing.root).toBeVisible();
    await webhooks.expectList();
    // The link of the name covers its whole row.
    await webhooks.row("Orders").getByText(URL).click({ force: true });
    await expect(webhooks.editing.root).toBeVisible();
    await inPlace.expectSameDocument();
  });
});

test.describe("what is saved appears in place", () => {
  test("added, edited, paused, resumed and deleted", async ({ webhooks }) => {
    const { page } = webhooks;
    const inPlace = await InPlace.watch(page);
    const status = page.getByRole("status").filter({ hasText: "Orders" });
    await webhooks.openAdding();
    await webhooks.adding.fill(FILLED);
    await webhooks.adding.button("Add").click();
    await expect(status).toHaveText("Webhook “Orders” added.");
    await webhooks.expectList();
    await expect(webhooks.row("Orders")).toHaveClass(/row--fresh/);

    const row = await webhooks.row("Orders").elementHandle();
    const editing = await opened(webhooks, "Orders");
    await editing.fill({ url: "https://moved.example/" });
    await editing.button("Save").click();
    await expect(status).toHaveText("Webhook “Orders” saved.");
    await expect(webhooks.row("Orders").getByText("https://moved.example/")).toBeVisible();
    expect(await row!.evaluate((element) => element.isConnected), "the row is still the same").toBe(true);
    await expect(webhooks.link("Orders")).toBeFocused();

    for (const [button, done, badge] of [["Pause", "paused", "Paused"], ["Resume", "resumed", "Active"]] as const) {
      const dialog = await opened(webhooks, "Orders");
      await dialog.button(button).click();
      await expect(status).toHaveText(`Webhook “Orders” ${done}.`);
      await expect(webhooks.row("Orders").getByText(badge, { exact: true })).toBeVisible();
    }

    const deleting = await webhooks.openDeleting("Orders");
    await deleting.getByRole("button", { name: "Delete webhook" }).click();
    await expect(status).toHaveText("Webhook “Orders” deleted.");
    await expect(webhooks.link("Orders")).toHaveCount(0);
    await webhooks.expectList();
    await inPlace.expectSameDocument();
    const changes = inPlace.called.filter((name) => !name.startsWith("check-"));
    expect(changes).toEqual(["add", "edit", "pause", "resume", "delete"]);
  });

  test("Back after saving leads to the list, not to the form", async ({ webhooks, api }) => {
    await api.add({ name: "Orders", url: URL });
    await webhooks.open("?status=active");
    await webhooks.open();
    const inPlace = await InPlace.watch(webhooks.page);
    const dialog = await opened(webhooks, "Orders");
    await dialog.fill({ name: "Renamed" });
    await dialog.button("Save").click();
    await webhooks.expectMessage("Webhook “Renamed” saved.");
    await webhooks.page.goBack();
    await webhooks.expectList();
    await inPlace.expectSameDocument();
  });

  test("from a dialog that was opened by its address, and after a reload", async ({ webhooks, api }) => {
    const { id } = await api.add({ name: "Orders", url: URL });
    const { page } = webhooks;
    await page.goto(`${LIST}/${id}`);
    await page.reload();
    await webhooks.expectModal(webhooks.editing.root);
    const inPlace = await InPlace.watch(page);
    await webhooks.editing.fill({ name: "Renamed" });
    await webhooks.editing.button("Save").click();
    await webhooks.expectMessage("Webhook “Renamed” saved.");
    await webhooks.expectList();
    await webhooks.openAdding();
    await inPlace.expectSameDocument();
  });

  test("a secret is revealed and rotated without losing what was typed, and the next save is no conflict", async ({
    webhooks,
    api,
  }) => {
    const { secret } = await api.add({ name: "Orders", url: URL });
    await webhooks.open();
    const inPlace = await InPlace.watch(webhooks.page);
    const dialog = await opened(webhooks, "Orders");
    await dialog.fill({ name: "Renamed" });
    await dialog.button("Reveal").click();
    await expect(dialog.root.getByText(secret, { exact: true })).toBeFocused();
    await dialog.button("Rotate").click();
    await expect(dialog.root.getByRole("status").filter({ hasText: "The secret was rotated." })).toBeVisible();
    await expect(dialog.root.getByText(secret, { exact: true })).toHaveCount(0);
    await dialog.expectFields({ name: "Renamed" });
    await dialog.button("Save").click();
    await webhooks.expectMessage("Webhook “Renamed” saved.");
    await inPlace.expectSameDocument();
    expect(inPlace.called.filter((name) => !name.startsWith("check-"))).toEqual(["reveal-secret", "rotate-secret", "edit"]);
  });

  test("what was typed survives Pause, and the button becomes Resume", async ({ webhooks, api }) => {
    await api.add({ name: "Orders", url: URL });
    await webhooks.open();
    const inPlace = await InPlace.watch(webhooks.page);
    const dialog = await opened(webhooks, "Orders");
    await dialog.fill({ name: "Renamed" });
    await dialog.button("Pause").click();
    await expect(dialog.root.getByRole("status").filter({ hasText: "paused" })).toHaveText(
      "Webhook “Orders” paused. What you changed below is not saved yet.",
    );
    await dialog.expectFields({ name: "Renamed" });
    await dialog.button("Resume").click();
    await expect(dialog.button("Pause")).toBeVisible();
    await dialog.button("Save").click();
    await webhooks.expectMessage("Webhook “Renamed” saved.");
    await inPlace.expectSameDocument();
  });

  test("a test event shows what came of it, each time it is sent", async ({ webhooks, api, receiver }) => {
    await api.add({ name: "Orders", url: receiver.url() });
    await webhooks.open();
    const { page } = webhooks;
    const inPlace = await InPlace.watch(page);
    await opened(webhooks, "Orders");
    await page.getByRole("link", { name: "Send test event" }).click();
    const dialog = page.getByRole("dialog", { name: "Send test event" });
    await dialog.getByRole("button", { name: "Send test event" }).click();
    await expect(dialog.getByText("The receiver took it.")).toBeVisible();
    receiver.answer = { status: 500 };
    await dialog.getByRole("button", { name: "Send test event" }).click();
    await expect(dialog.getByText("The receiver answered, but did not take it.")).toBeVisible();
    await inPlace.expectSameDocument();
    expect(inPlace.called).toEqual(["test", "test"]);
  });

  test("a delivery is resent, a recovery previewed and started", async ({ webhooks, api, receiver }) => {
    const { page } = webhooks;
    receiver.answer = { status: 400 };
    const { id } = await api.add({ name: "Orders", url: receiver.url() });
    await api.publish("chat");
    const statuses = async () => (await api.deliveries(id)).map((delivery) => delivery.status);
    await expect.poll(statuses, { timeout: 15_000 }).toEqual(["failed"]);
    receiver.answer = { status: 200 };
    await page.goto(`${LIST}/deliveries/${(await api.deliveries(id))[0]!.id}`);
    const resending = await InPlace.watch(page);
    await page.getByRole("button", { name: "Resend" }).click();
    await expect(page.getByRole("status").filter({ hasText: "It is being sent again." })).toBeVisible();
    await resending.expectSameDocument();
    expect(resending.called).toEqual(["resend"]);
    await expect.poll(statuses).toEqual(["delivered"]);

    await page.goto(`${LIST}/${id}/recover`);
    const recovering = await InPlace.watch(page);
    await page.getByRole("radio", { name: "Everything missed" }).check();
    await page.getByRole("button", { name: "Preview" }).click();
    await expect(page.getByRole("heading", { name: "Preview" })).toBeVisible();
    await expect(page).toHaveURL(/\?scope=missed&since=/);
    await recovering.expectSameDocument();
    expect(recovering.called).toEqual(["preview-recovery"]);
  });

  test("keys, users, sessions, time zone and theme", async ({ webhooks: { page }, account }) => {
    const inPlace = await InPlace.watch(page);
    await page.locator("summary").filter({ hasText: "@" }).click();
    await page.getByRole("button", { name: "Dark" }).click();
    await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
    await inPlace.expectSameDocument();

    await page.goto("/settings/api-keys");
    const keys = await InPlace.watch(page);
    await page.getByRole("link", { name: "+ Add API key" }).first().click();
    const adding = page.getByRole("dialog", { name: "Add API key" });
    await adding.getByLabel("Name").fill("Publisher");
    await adding.getByRole("button", { name: "Add", exact: true }).click();
    await expect(page.getByRole("heading", { name: "API key “Publisher” made" })).toBeVisible();
    await expect(page.locator("code[autofocus]")).toBeFocused();
    await expect(page.getByRole("button", { name: "Copy" })).toBeVisible();
    await page.getByRole("row").filter({ hasText: "Publisher" }).getByRole("link", { name: "Revoke" }).click();
    await page.getByRole("button", { name: "Revoke key" }).click();
    await expect(page.getByRole("status").filter({ hasText: "revoked" })).toHaveText("API key “Publisher” revoked.");
    await expect(page.getByRole("heading", { name: "API key “Publisher” made" })).toHaveCount(0);
    await keys.expectSameDocument();
    expect(keys.called).toEqual(["add-api-key", "revoke-api-key"]);

    await page.goto("/settings/users");
    const users = await InPlace.watch(page);
    const email = `guest-${Date.now()}@caleida.test`;
    await page.getByRole("textbox", { name: "Email" }).fill("nobody");
    await page.getByRole("button", { name: "Make a link" }).click();
    await expect(page.getByRole("textbox", { name: "Email" })).toHaveAttribute("aria-invalid", "true");
    await page.getByRole("textbox", { name: "Email" }).fill(email);
    await page.getByRole("button", { name: "Make a link" }).click();
    await expect(page.getByRole("heading", { name: `Link for ${email}` })).toBeVisible();
    await expect(page.getByRole("textbox", { name: "Email" })).toHaveValue("");
    const row = page.getByRole("row").filter({ hasText: email });
    await row.getByRole("button", { name: "New link" }).click();
    await row.getByRole("button", { name: "Revoke" }).click();
    await expect(row).toHaveCount(0);
    const person = await account.person("viewer");
    await page.goto("/settings/users");
    await page.getByRole("link", { name: person.email }).click();
    const one = await InPlace.watch(page);
    await page.getByRole("button", { name: "Disable" }).click();
    await expect(page.getByRole("status").filter({ hasText: "disabled" })).toBeVisible();
    await one.expectSameDocument();
    expect(users.called).toEqual(["invite-user", "invite-user", "renew-invite", "revoke-invite", "disable-user"]);

    await page.goto("/settings/account");
    const own = await InPlace.watch(page);
    await page.getByLabel("Current password").fill("not mine at all");
    await page.getByLabel("New password").fill("a new and long password");
    await page.getByRole("button", { name: "Change password" }).click();
    await expect(page.getByLabel("Current password")).toBeFocused();
    await expect(page.getByText("This is not your password.")).toBeVisible();
    await page.getByRole("button", { name: "End all others" }).or(page.getByText("This session")).first().waitFor();
    await own.expectSameDocument();
    expect(own.called).toEqual(["change-password"]);
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
  const person = await account.person("viewer");
  await page.goto("/settings/users");
  await page.getByRole("link", { name: person.email }).click();
  const address = page.url();
  const users = await InPlace.watch(page);
  await page.getByRole("radio", { name: "Member" }).check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").filter({ hasText: "is a member now" })).toBeVisible();
  await users.expectSameDocument();
  for (const [button, done] of [["Disable", "was disabled"], ["Enable", "may sign in again"]] as const) {
    await page.goto(address);
    const one = await InPlace.watch(page);
    await page.getByRole("button", { name: button }).click();
    await expect(page.getByRole("status").filter({ hasText: done })).toBeVisible();
    await one.expectSameDocument();
  }
  expect(users.called).toEqual(["change-role", "disable-user", "enable-user"]);

  const admin = await account.person("admin");
  await signIn(page, admin);
  const others = await Promise.all([0, 1, 2].map(() => browser.newContext({ baseURL: server.url })));
  for (const other of others) await signIn(await other.newPage(), admin);
  await page.goto("/settings/account");
  const sessions = await InPlace.watch(page);
  await page.getByRole("button", { name: "End", exact: true }).first().click();
  await expect(page.getByRole("status").filter({ hasText: "The session was ended." })).toBeVisible();
  await page.getByRole("button", { name: "End all others" }).click();
  await expect(page.getByRole("status").filter({ hasText: "2 sessions were ended." })).toBeVisible();
  await sessions.expectSameDocument();
  expect(sessions.called).toEqual(["end-session", "end-other-sessions"]);
  await Promise.all(others.map((other) => other.close()));

  await page.goto("/settings/time-zone?back=%2Fsettings%2Faccount");
  const zone = await InPlace.watch(page);
  await page.getByRole("combobox", { name: "Time zone" }).selectOption("Asia/Tokyo");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Times are shown in Asia/Tokyo." })).toBeVisible();
  await expect(page).toHaveURL("/settings/account");
  await zone.expectSameDocument();
  expect(zone.called).toEqual(["set-time-zone"]);

  receiver.answer = { status: 400 };
  const { id } = await api.add({ name: "Orders", url: receiver.url() });
  await api.publish("chat");
  const statuses = async () => (await api.deliveries(id)).map((delivery) => delivery.status);
  await expect.poll(statuses, { timeout: 15_000 }).toEqual(["failed"]);
  receiver.answer = { status: 200 };
  await page.goto(`${LIST}/${id}/recover?scope=failed`);
  const recovering = await InPlace.watch(page);
  await page.getByRole("button", { name: "Recover", exact: true }).click();
  await expect(page.getByRole("status").filter({ hasText: "The recovery has started." })).toBeVisible();
  await expect.poll(statuses).toEqual(["delivered"]);
  await recovering.expectSameDocument();
  expect(recovering.called).toEqual(["start-recovery"]);
});

test.describe("a server function that fails", () => {
  const typed = { url: "https://example.com/hook", name: "Typed", events: ["chat", "insight.key"] };

  async function filled(webhooks: Webhooks): Promise<{ dialog: WebhookDialog; inPlace: InPlace }> {
    const dialog = await webhooks.openAdding();
    await webhooks.expectModal(dialog.root);
    const inPlace = await InPlace.watch(webhooks.page);
    await dialog.fill(typed);
    return { dialog, inPlace };
  }

  async function savesAfterAll(webhooks: Webhooks, dialog: WebhookDialog, inPlace: InPlace): Promise<void> {
    await dialog.expectFields(typed);
    await dialog.button("Add").click();
    await webhooks.expectMessage("Webhook “Typed” added.");
    await inPlace.expectSameDocument();
  }

  test("offline: what was typed stays, and trying again works", async ({ webhooks, complaints }) => {
    complaints.allow(/net::ERR_INTERNET_DISCONNECTED/);
    const { dialog, inPlace } = await filled(webhooks);
    const { page } = webhooks;
    await page.context().setOffline(true);
    await dialog.button("Add").click();
    await expect(dialog.root.getByRole("alert")).toHaveText(/^Caleida did not answer\. .*check your connection and try again\.$/);
    await dialog.expectFields(typed);
    await page.context().setOffline(false);
    await expectAccessible(page);
    await savesAfterAll(webhooks, dialog, inPlace);
  });

  for (const [what, status, body] of [
    ["a 503 of the server", 503, JSON.stringify({ error: "unavailable", message: "Try again in a moment.", fields: [] })],
    ["a 503 of a proxy", 503, "<html><h1>Service Unavailable</h1></html>"],
    ["an empty 502", 502, ""],
  ] as const) {
    test(`${what}: what was typed stays, and trying again works`, async ({ webhooks, complaints }) => {
      complaints.allow(new RegExp(`status of ${status}`));
      const { dialog, inPlace } = await filled(webhooks);
      await webhooks.page.route(ACTIONS, (route) => route.fulfill({ status, body }), { times: 10 });
      await dialog.button("Add").click();
      await expect(dialog.root.getByRole("alert")).toHaveText(/try again/i);
      await dialog.expectFields(typed);
      await webhooks.page.unroute(ACTIONS);
      await savesAfterAll(webhooks, dialog, inPlace);
    });
  }

  test("signed out meanwhile: one signs in on another page, and then it is saved", async ({ webhooks, account }) => {
    const { dialog, inPlace } = await filled(webhooks);
    const { page } = webhooks;
    await page.context().clearCookies();
    await dialog.button("Add").click();
    const alert = dialog.root.getByRole("alert");
    await expect(alert).toHaveText(/^You are signed out\./);
    await dialog.expectFields(typed);
    const tab = page.context().waitForEvent("page");
    await alert.getByRole("link", { name: "Sign in on another page" }).click();
    await expect((await tab).getByRole("heading", { name: "Sign in" })).toBeVisible();
    await signIn(await tab, await account.person("admin"));
    await savesAfterAll(webhooks, dialog, inPlace);
  });

  test("slow: the button says so, and a second press does nothing", async ({ webhooks }) => {
    const { dialog, inPlace } = await filled(webhooks);
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
    expect(inPlace.called.filter((name) => name === "add")).toEqual(["add"]);
    await webhooks.expectNames("Typed");
    await inPlace.expectSameDocument();
  });

  test("saved, but the page cannot be refreshed: it says so, and the dialog closes", async ({ webhooks, complaints }) => {
    complaints.allow(/net::ERR_FAILED/);
    const { dialog } = await filled(webhooks);
    await webhooks.page.route(`**${LIST}`, (route) => route.abort());
    await dialog.button("Add").click();
    await expect(webhooks.page.getByRole("status").filter({ hasText: "This was done" })).toBeVisible();
    await expect(dialog.root).toHaveCount(0);
    await webhooks.page.unroute(`**${LIST}`);
    await webhooks.page.reload();
    await expect(webhooks.link("Typed")).toBeVisible();
  });

  test("a dialog that cannot be opened leaves the list as it is", async ({ webhooks, complaints }) => {
    complaints.allow(/status of 503/);
    const inPlace = await InPlace.watch(webhooks.page);
    await webhooks.page.route(`**${LIST}/new`, (route) => route.fulfill({ status: 503, body: "later" }));
    await webhooks.addLink.click();
    await expect(webhooks.page.getByRole("status").filter({ hasText: "did not answer" })).toBeVisible();
    await webhooks.expectList();
    await inPlace.expectSameDocument();
  });
});

async function spinnerWidth(button: Locator): Promise<number> {
  return button.evaluate((element) => parseFloat(getComputedStyle(element, "::after").inlineSize));
}

test("a double click adds one webhook", async ({ webhooks }) => {
  const dialog = await webhooks.openAdding();
  await webhooks.expectModal(dialog.root);
  await dialog.fill(FILLED);
  await dialog.button("Add").dblclick();
  await webhooks.expectMessage("Webhook “Orders” added.");
  await webhooks.expectNames("Orders");
});

test("refusals appear at their fields in place, and go when they are mended", async ({ webhooks }) => {
  const dialog = await webhooks.openAdding();
  await webhooks.expectModal(dialog.root);
  const inPlace = await InPlace.watch(webhooks.page);
  await dialog.fill({ url: "", name: "" });
  await dialog.button("Add").click();
  await dialog.expectRefused(dialog.url, "Enter a URL that starts with https://.");
  await dialog.expectRefused(dialog.name, "Enter a name for the webhook.");
  await dialog.expectRefused(dialog.event("chat"), "Choose at least one event.");
  await expect(dialog.url).toBeFocused();
  await expectAccessible(webhooks.page);
  await dialog.fill(FILLED);
  await dialog.button("Add").click();
  await webhooks.expectMessage("Webhook “Orders” added.");
  await inPlace.expectSameDocument();
});

test("a name that is taken is said when one leaves the field", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: URL });
  const dialog = await webhooks.openAdding();
  await webhooks.expectModal(dialog.root);
  await dialog.name.fill("Orders");
  await webhooks.page.keyboard.press("Tab");
  await dialog.expectRefused(dialog.name, "A webhook named “Orders” already exists.");
  await dialog.name.fill("Others");
  await webhooks.page.keyboard.press("Tab");
  await expect(dialog.name).not.toHaveAttribute("aria-invalid");
});

test("of two people who edit the same webhook, the second chooses field by field", async ({
  webhooks,
  api,
  browserOf,
  complaints,
}) => {
  complaints.allow(/net::ERR_INTERNET_DISCONNECTED/);
  await api.add({ name: "Orders", url: URL });
  await webhooks.open();
  const theirs = new Webhooks(await browserOf("admin"));
  await theirs.open();
  const mine = await opened(webhooks, "Orders");
  const inPlace = await InPlace.watch(webhooks.page);
  const first = await opened(theirs, "Orders");
  await first.fill({ url: "https://first.example/", name: "Theirs" });
  await first.button("Save").click();
  await theirs.expectMessage("Webhook “Theirs” saved.");

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
  // What was chosen outlives an attempt that gets no answer.
  await webhooks.page.context().setOffline(true);
  await mine.button("Save").click();
  await expect(mine.root.getByText(/^Caleida did not answer/)).toBeFocused();
  await webhooks.page.context().setOffline(false);
  await expect(mine.root.getByRole("checkbox", { name: "Keep the saved URL" })).toBeChecked();
  await mine.button("Save").click();
  await webhooks.expectMessage("Webhook “Mine” saved.");
  await inPlace.expectSameDocument();
  const [saved] = await api.webhooks();
  expect(saved).toMatchObject({ name: "Mine", url: "https://first.example/", events: ["message"] });
});

test.describe("leaving a dialog with unsaved text asks first", () => {
  async function typedInto(webhooks: Webhooks): Promise<WebhookDialog> {
    const dialog = await webhooks.openAdding();
    await webhooks.expectModal(dialog.root);
    await dialog.name.fill("Typed");
    return dialog;
  }

  for (const [how, leave] of [
    ["Escape", (page: Page) => page.keyboard.press("Escape")],
    ["Back", (page: Page) => page.goBack()],
  ] as const) {
    test(`by ${how}`, async ({ webhooks }) => {
      const { page } = webhooks;
      const dialog = await typedInto(webhooks);
      const inPlace = await InPlace.watch(page);
      page.once("dialog", (question) => question.dismiss());
      await leave(page);
      await expect(dialog.root).toBeVisible();
      await dialog.expectFields({ name: "Typed" });
      await expect(page).toHaveURL(`${LIST}/new`);
      page.once("dialog", (question) => {
        expect(question.message()).toBe("Discard what you have not saved?");
        return question.accept();
      });
      await leave(page);
      await webhooks.expectList();
      await inPlace.expectSameDocument();
    });
  }

  test("not by Cancel, which says so itself, and not if nothing was typed", async ({ webhooks }) => {
    const dialog = await typedInto(webhooks);
    webhooks.page.on("dialog", () => expect(false, "a question").toBe(true));
    await dialog.button("Cancel").click();
    await webhooks.expectList();
    await webhooks.openAdding();
    await webhooks.page.keyboard.press("Escape");
    await webhooks.expectList();
  });
});

test.describe("filters apply while one types", () => {
  test("the results change in place, and the address follows", async ({ webhooks, api }) => {
    for (const name of ["Orders", "Invoices", "Ordinary"]) await api.add({ name, url: URL });
    await webhooks.open();
    const { page } = webhooks;
    const inPlace = await InPlace.watch(page);
    await webhooks.search.pressSequentially("ord");
    await webhooks.expectNames("Ordinary", "Orders");
    await expect(page).toHaveURL(`${LIST}?q=ord`);
    await expect(webhooks.search).toBeFocused();
    await expect(webhooks.search).toHaveValue("ord");
    await webhooks.status.selectOption("paused");
    await expect(page.getByText("Nothing matches")).toBeVisible();
    await page.getByRole("link", { name: "Clear filters" }).first().click();
    await webhooks.expectNames("Ordinary", "Invoices", "Orders");
    await expect(webhooks.search).toHaveValue("");
    await expect(webhooks.status).toHaveValue("");
    await expect(page).toHaveURL(LIST);
    // What was typed letter by letter is one step back.
    await page.goBack();
    await expect(page).toHaveURL(`${LIST}?q=ord&status=paused`);
    await page.goBack();
    await expect(page).toHaveURL(LIST);
    await webhooks.expectNames("Ordinary", "Invoices", "Orders");
    await inPlace.expectSameDocument();
  });

  test("a slower earlier answer never overwrites a later one", async ({ webhooks, api }) => {
    for (const name of ["Orders", "Invoices"]) await api.add({ name, url: URL });
    await webhooks.open();
    const { page } = webhooks;
    await InPlace.watch(page);
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
    const asked = page.waitForRequest(/\?q=o$/);
    await webhooks.search.fill("o");
    await asked;
    await webhooks.search.fill("inv");
    await webhooks.expectNames("Invoices");
    release();
    await page.waitForTimeout(500);
    await webhooks.expectNames("Invoices");
    await expect(page).toHaveURL(`${LIST}?q=inv`);
  });

  test("also in the logs", async ({ webhooks: { page }, api, receiver }) => {
    await api.add({ name: "Orders", url: receiver.url(), events: ["chat", "message"] });
    await api.publish("chat", {}, "chat-1");
    await api.publish("message", {}, "message-1");
    await expect.poll(() => api.delivered()).toBe(2);
    for (const log of [`${LIST}/deliveries`, `${LIST}/events`]) {
      await page.goto(log);
      const inPlace = await InPlace.watch(page);
      await page.getByRole("combobox", { name: "Event type" }).selectOption("message");
      await expect(page.getByRole("link", { name: "chat-1" })).toHaveCount(0);
      await expect(page.getByRole("link", { name: "message-1" })).toBeVisible();
      await expect(page).toHaveURL(`${log}?type=message`);
      await inPlace.expectSameDocument();
    }
  });
});
