import { expectAccessible } from "../support/axe.ts";
import { Webhooks } from "../pages/webhooks.ts";
import { expect, test } from "../support/test.ts";

const URL = "https://example.com/orders";

test("dialog shows the stored values but not the secret", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: URL, events: ["message", "insight.key"] });
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  await dialog.expectFields({ url: URL, name: "Orders", secret: "", events: ["message", "insight.key"] });
  for (const button of ["Save", "Cancel", "Delete", "Pause", "Reveal", "Rotate"]) {
    await expect(dialog.button(button)).toBeVisible();
  }
});

test("Save changes URL, name and events", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: URL });
  await webhooks.open();
  const changed = { url: "https://example.org/new", name: "Renamed", events: ["message", "insight.topic"] };
  const dialog = await webhooks.openEditDialog("Orders");
  await dialog.fill(changed);
  await dialog.button("Save").click();

  await webhooks.expectList();
  await webhooks.expectMessage("Webhook “Renamed” saved.");
  await webhooks.expectNames("Renamed");
  await (await webhooks.openEditDialog("Renamed")).expectFields(changed);
});

test("Enter saves, and does not pause, delete or rotate", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: URL });
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  await dialog.name.fill("Renamed");
  await dialog.name.press("Enter");
  await webhooks.expectMessage("Webhook “Renamed” saved.");
  await expect(webhooks.row("Renamed").getByText("Active", { exact: true })).toBeVisible();
});

test("new secret signs the next call", async ({ webhooks, api, receiver }) => {
  await api.add({ name: "Orders", url: receiver.url() });
  await webhooks.open();
  receiver.secret = "another secret, long enough";
  const dialog = await webhooks.openEditDialog("Orders");
  await dialog.fill({ secret: receiver.secret });
  await dialog.button("Save").click();
  await webhooks.expectMessage("Webhook “Orders” saved.");

  await api.publish("chat");
  await expect.poll(() => receiver.calls.map((call) => call.verification)).toEqual(["verified"]);
});

test("empty secret keeps the stored secret", async ({ webhooks, api, receiver }) => {
  const added = await api.add({ name: "Orders", url: receiver.url() });
  receiver.secret = added.secret;
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  await dialog.fill({ name: "Renamed" });
  await dialog.button("Save").click();
  await webhooks.expectMessage("Webhook “Renamed” saved.");

  await api.publish("chat");
  await expect.poll(() => receiver.calls.map((call) => call.verification)).toEqual(["verified"]);
});

test("errors appear at their fields, and the input is kept", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: URL });
  await api.add({ name: "Chats", url: URL });
  await webhooks.open();
  const typed = { url: "https://example.org/new", name: "Chats", secret: "another secret, long enough", events: ["message"] };
  const dialog = await webhooks.openEditDialog("Orders");
  await dialog.fill(typed);
  await dialog.button("Save").click();
  await dialog.expectFieldError(dialog.name, "A webhook named “Chats” already exists.");
  await expect(dialog.name).toBeFocused();
  await dialog.expectFields(typed);

  await dialog.fill({ url: "http//", name: "Orders", secret: "short", events: [] });
  await dialog.button("Save").click();
  await dialog.expectFieldError(dialog.url, "Enter a URL that starts with https://.");
  await dialog.expectFieldError(dialog.secret, "Use at least 24 characters for the secret.");
  await dialog.expectFieldError(dialog.event("chat"), "Choose at least one event.");
  await expect(dialog.url).toBeFocused();
});

test("concurrent edit shows who changed what, and can overwrite it", async ({
  webhooks,
  api,
  signedInPage,
}) => {
  await api.add({ name: "Orders", url: URL });
  await webhooks.open();
  const otherAdmin = new Webhooks(await signedInPage("admin"));
  await otherAdmin.open();

  const mine = await webhooks.openEditDialog("Orders");
  const first = await otherAdmin.openEditDialog("Orders");
  await first.fill({ url: "https://first.example/", events: ["chat", "message"] });
  await first.button("Save").click();
  await otherAdmin.expectMessage("Webhook “Orders” saved.");

  const typed = { url: "https://second.example/", name: "Mine", secret: "my own secret, long enough", events: ["chat"] };
  await mine.fill(typed);
  await mine.button("Save").click();
  const conflict = mine.root.getByRole("alert");
  await expect(conflict).toContainText(/^admin-\S+@caleida\.test saved this webhook/);
  for (const text of ["https://first.example/", "https://second.example/", "Orders", "Mine", "chat, message"]) {
    await expect(conflict).toContainText(text);
  }
  await mine.expectFields(typed);
  await otherAdmin.open();
  await expect(otherAdmin.row("Orders").getByText("https://first.example/")).toBeVisible();

  await mine.button("Save").click();
  await webhooks.expectMessage("Webhook “Mine” saved.");
  await expect(webhooks.row("Mine").getByText("https://second.example/")).toBeVisible();
});

test("held deliveries can be dropped on resume", async ({ webhooks, api, receiver }) => {
  const { id } = await api.add({ name: "Orders", url: receiver.url() });
  await api.pause(id);
  for (const name of ["one", "two"]) await api.publish("chat", {}, name);
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  const held = dialog.root.getByRole("group", { name: "Paused: 2 deliveries are held. When the webhook is resumed:" });
  await expect(held.getByRole("radio", { name: "Send them" })).toBeChecked();
  await held.getByRole("radio", { name: "Drop them" }).check();
  await expectAccessible(webhooks.page);
  await dialog.button("Resume").click();
  await webhooks.expectMessage("Webhook “Orders” resumed.");
  expect((await api.deliveries(id)).map((delivery) => delivery.status)).toEqual(["cancelled", "cancelled"]);
  await api.publish("chat", {}, "three");
  await expect.poll(() => api.delivered()).toBe(1);
  expect(receiver.calls.map((call) => call.headers["webhook-id"])).toEqual(["three"]);
});

test("paused webhook holds deliveries and sends them on resume", async ({ webhooks, api, receiver }) => {
  const added = await api.add({ name: "Orders", url: receiver.url() });
  receiver.secret = added.secret;
  await webhooks.open();
  await (await webhooks.openEditDialog("Orders")).button("Pause").click();
  await webhooks.expectMessage("Webhook “Orders” paused.");
  await expect(webhooks.row("Orders").getByText("Paused", { exact: true })).toBeVisible();

  await api.publish("chat", { held: true });
  await expect.poll(async () => (await api.deliveries(added.id)).map((delivery) => delivery.status)).toEqual(["held"]);
  expect(receiver.calls).toEqual([]);

  await (await webhooks.openEditDialog("Orders")).button("Resume").click();
  await webhooks.expectMessage("Webhook “Orders” resumed.");
  await expect(webhooks.row("Orders").getByText("Active", { exact: true })).toBeVisible();
  await expect.poll(() => receiver.calls.map((call) => call.verification)).toEqual(["verified"]);
});

test("Pause keeps unsaved input without saving it", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: URL });
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  await dialog.fill({ name: "Renamed" });
  await dialog.button("Pause").click();
  await expect(dialog.button("Resume")).toBeVisible();
  await dialog.expectFields({ name: "Renamed" });
  expect((await api.webhooks()).map(({ name, status }) => [name, status])).toEqual([["Orders", "paused"]]);

  await dialog.button("Save").click();
  await webhooks.expectMessage("Webhook “Renamed” saved.");
});

test("revealing the secret keeps unsaved input", async ({ webhooks, api }) => {
  const { secret } = await api.add({ name: "Orders", url: URL });
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  await dialog.fill({ name: "Renamed" });
  await expect(dialog.root.getByText(secret)).toHaveCount(0);
  await dialog.button("Reveal").click();
  await expect(dialog.root.getByText(secret)).toBeVisible();
  await dialog.expectFields({ name: "Renamed" });
});

test("custom secret is also shown in whsec_ format", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: URL, secret: "correct horse battery staple" });
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  await dialog.button("Reveal").click();
  await expect(dialog.root.getByText("correct horse battery staple")).toBeVisible();
  await expect(dialog.root.getByText("whsec_Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==")).toBeVisible();
});

test("old and new secret both verify after a rotation", async ({ webhooks, api, receivers }) => {
  const [oldReceiver, newReceiver] = [await receivers(), await receivers()];
  const added = await api.add({ name: "Orders", url: oldReceiver.url() });
  oldReceiver.secret = added.secret;
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  await expect(dialog.root.getByRole("combobox")).toHaveValue("24");
  await dialog.button("Rotate").click();
  await expect(dialog.root.getByText("The secret was rotated.")).toBeVisible();
  await expect(dialog.root.getByText(/^The previous secret also signs for another (23|24) h|1 d, until/)).toBeVisible();
  const secret = await dialog.root.getByText(/^whsec_/).textContent();
  expect(secret).not.toBe(added.secret);

  await api.publish("chat");
  await expect.poll(() => oldReceiver.calls.map((call) => call.verification)).toEqual(["verified"]);
  expect(oldReceiver.calls[0]?.headers["webhook-signature"]).toMatch(/^v1,\S+ v1,\S+$/);

  newReceiver.secret = secret!;
  await dialog.fill({ url: newReceiver.url() });
  await dialog.button("Save").click();
  await webhooks.expectMessage("Webhook “Orders” saved.");
  await api.publish("chat");
  await expect.poll(() => newReceiver.calls.map((call) => call.verification)).toEqual(["verified"]);
});

test("old secret stops signing after a rotation without overlap", async ({ webhooks, api, receiver }) => {
  receiver.secret = (await api.add({ name: "Orders", url: receiver.url() })).secret;
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  await dialog.root.getByRole("combobox").selectOption("0");
  await dialog.button("Rotate").click();
  await expect(dialog.root.getByText("The secret was rotated.")).toBeVisible();

  await api.publish("chat");
  await expect.poll(() => receiver.calls.length).toBe(1);
  expect(receiver.calls[0]?.verification).toContain("No matching signature found");
  expect(receiver.calls[0]?.headers["webhook-signature"]).toMatch(/^v1,\S+$/);
});

for (const role of ["viewer", "member"] as const) {
  test(`${role} can view but not change`, async ({ api, signedInPage }) => {
    const added = await api.add({ name: "Orders", url: URL });
    const page = await signedInPage(role);
    const webhooks = new Webhooks(page);
    await webhooks.open();
    const { root, url, name, secret } = await webhooks.openEditDialog("Orders");
    await expect(url).toHaveAttribute("readonly");
    await expect(name).toHaveAttribute("readonly");
    await expect(secret).toHaveCount(0);
    await expect(root.getByText("Only admins can edit webhooks.")).toBeVisible();
    for (const forbidden of ["Save", "Delete", "Pause", "Reveal", "Rotate"]) {
      await expect(root.getByRole("button", { name: forbidden, exact: true })).toHaveCount(0);
    }

    // The requests that the buttons would send are rejected too, both of plain forms and of server functions.
    const form = { id: added.id, url: "https://evil.example/", name: "Owned", events: "chat" };
    const posts = ["save", "pause", "resume", "reveal", "rotate"].map((button) => ({ path: added.id, do: button }));
    const actions = ["edit", "pause", "resume", "reveal-secret", "rotate-secret", "delete"];
    const calls = actions.map((action) => ({ path: `actions/${action}`, do: "" }));
    for (const sent of [...posts, ...calls, { path: `${added.id}/delete`, do: "" }]) {
      const response = await page.request.post(`/integrations/webhook/${sent.path}`, {
        form: { ...form, do: sent.do },
        maxRedirects: 0,
      });
      expect(response.status(), JSON.stringify(sent)).toBe(403);
      expect(await response.text(), JSON.stringify(sent)).not.toContain(added.secret);
    }
    expect(await api.webhooks()).toEqual([expect.objectContaining({ name: "Orders", url: URL, status: "active" })]);
    await root.getByRole("button", { name: "Close", exact: true }).click();
    await webhooks.expectList();
  });
}

test("Cancel changes nothing", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: URL });
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  await dialog.fill({ name: "Renamed" });
  await dialog.button("Cancel").click();
  await webhooks.expectList();
  await webhooks.expectNames("Orders");
});

test("dialog has a URL: it can be linked, reloaded, and left with Back", async ({ webhooks, api }) => {
  const added = await api.add({ name: "Orders", url: URL });
  await webhooks.open();
  const { page } = webhooks;
  const dialog = await webhooks.openEditDialog("Orders");
  await expect(page).toHaveURL(`/integrations/webhook/${added.id}`);
  await page.reload();
  await expect(dialog.name).toHaveValue("Orders");
  await page.goBack();
  await webhooks.expectList();
  await page.goto(`/integrations/webhook/${added.id}`);
  await expect(dialog.name).toHaveValue("Orders");
});

test("“View deliveries” opens the webhook's log", async ({ webhooks, api }) => {
  const added = await api.add({ name: "Orders", url: URL });
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  await dialog.root.getByRole("link", { name: "View deliveries" }).click();
  await expect(webhooks.page).toHaveURL(`/integrations/webhook/${added.id}/deliveries`);
});

test("unknown webhook shows an error page", async ({ webhooks }) => {
  const response = await webhooks.page.goto("/integrations/webhook/wh_nothing");
  expect(response?.status()).toBe(404);
  await expect(webhooks.page.getByRole("heading", { name: "Not found" })).toBeVisible();
});
