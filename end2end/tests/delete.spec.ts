import { Webhooks } from "../pages/webhooks.ts";
import { expect, needsScript, test } from "../support/test.ts";

test("confirmation shows name, URL and number of pending deliveries", async ({ webhooks, api, receiver }) => {
  // With a `Retry-After` of an hour, the delivery stays pending.
  receiver.response = { status: 503, headers: { "retry-after": "3600" } };
  await api.add({ name: "Orders", url: receiver.url("/orders") });
  await api.publish("chat");
  await api.publish("chat");
  await expect.poll(() => receiver.calls.length).toBeGreaterThan(0);
  await webhooks.open();

  const dialog = await webhooks.openDeleteDialog("Orders");
  await expect(dialog.getByText("2 deliveries are pending and will be cancelled.")).toBeVisible();
  const promise = `Once deleted, no calls will be made to ${receiver.url("/orders")}.`;
  await expect(dialog.getByText(promise)).toBeVisible();
  await expect(dialog).toHaveAccessibleDescription(/2 deliveries are pending.*Once deleted, no calls/);
});

test("confirmation without pending deliveries", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open();
  const dialog = await webhooks.openDeleteDialog("Orders");
  await expect(dialog.getByText("No deliveries are pending.")).toBeVisible();
});

test("Cancel has the focus and changes nothing", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open();
  const dialog = await webhooks.openDeleteDialog("Orders");
  await expect(dialog.getByRole("button", { name: "Cancel", exact: true })).toBeFocused();
  await webhooks.page.keyboard.press("Enter");
  await webhooks.expectList();
  await webhooks.expectNames("Orders");
});

test("deleted webhook disappears and receives no calls", async ({ webhooks, api, receivers }) => {
  const [deleted, other] = [await receivers(), await receivers()];
  await api.add({ name: "Deleted", url: deleted.url() });
  await api.add({ name: "Other", url: other.url() });
  await api.publish("chat");
  await expect.poll(() => [deleted.calls.length, other.calls.length]).toEqual([1, 1]);
  await webhooks.open();

  const dialog = await webhooks.openDeleteDialog("Deleted");
  await dialog.getByRole("button", { name: "Delete webhook", exact: true }).click();
  await webhooks.expectList();
  await webhooks.expectMessage("Webhook “Deleted” deleted.");
  await webhooks.expectNames("Other");

  expect((await api.publish("chat")).deliveries).toBe(1);
  await expect.poll(() => other.calls.length).toBe(2);
  expect(deleted.calls).toHaveLength(1);
});

test("due retry of a deleted webhook is not sent", async ({ webhooks, api, receivers }) => {
  const [deleted, other] = [await receivers(), await receivers()];
  for (const receiver of [deleted, other]) receiver.response = { status: 500, headers: { "retry-after": "4" } };
  await api.add({ name: "Other", url: other.url() });
  const { id } = await api.add({ name: "Deleted", url: deleted.url() });
  await api.publish("chat");
  await expect.poll(() => [deleted.calls.length, other.calls.length]).toEqual([1, 1]);

  await webhooks.page.goto(`/integrations/webhook/${id}/delete`);
  await webhooks.deleteDialog("Deleted").getByRole("button", { name: "Delete webhook" }).click();
  await webhooks.expectMessage("Webhook “Deleted” deleted.");
  const before = deleted.calls.length;
  await expect.poll(() => other.calls.length, { timeout: 20_000 }).toBeGreaterThan(1);
  expect(deleted.calls).toHaveLength(before);
});

test("name of a deleted webhook can be reused", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open();
  const dialog = await webhooks.openDeleteDialog("Orders");
  await dialog.getByRole("button", { name: "Delete webhook" }).click();
  await webhooks.expectMessage("Webhook “Orders” deleted.");

  const addDialog = await webhooks.openAddDialog();
  await addDialog.fill({ url: "https://example.com/", name: "Orders", events: ["chat"] });
  await addDialog.button("Add").click();
  await webhooks.expectMessage("Webhook “Orders” added.");
});

test("second deletion shows that the webhook no longer exists", async ({ webhooks, api, signedInPage, javaScriptEnabled }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  const otherAdmin = new Webhooks(await signedInPage("admin"));
  await Promise.all([webhooks.open(), otherAdmin.open()]);
  const [mine, other] = [await webhooks.openDeleteDialog("Orders"), await otherAdmin.openDeleteDialog("Orders")];
  await mine.getByRole("button", { name: "Delete webhook" }).click();
  await webhooks.expectMessage("Webhook “Orders” deleted.");
  await other.getByRole("button", { name: "Delete webhook" }).click();
  if (javaScriptEnabled) {
    await expect(other.getByRole("alert")).toHaveText(/^This no longer exists/);
    await other.getByRole("button", { name: "Cancel" }).click();
    await otherAdmin.expectList();
    await expect(otherAdmin.link("Orders")).toHaveCount(0);
  } else {
    await expect(otherAdmin.page.getByRole("heading", { name: "Not found" })).toBeVisible();
  }
});

test("confirmation has a URL, and Back leads to the edit dialog", async ({ webhooks, api }) => {
  const { id } = await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open();
  const dialog = await webhooks.openDeleteDialog("Orders");
  await expect(webhooks.page).toHaveURL(new RegExp(`/integrations/webhook/${id}/delete\\??$`));
  await webhooks.page.reload();
  await expect(dialog).toBeVisible();
  await webhooks.page.goBack();
  await expect(webhooks.editDialog.name).toHaveValue("Orders");
});

for (const role of ["viewer", "member"] as const) {
  test(`${role} cannot delete`, async ({ api, signedInPage }) => {
    const { id } = await api.add({ name: "Orders", url: "https://example.com/" });
    const page = await signedInPage(role);
    const response = await page.goto(`/integrations/webhook/${id}/delete`);
    expect(response?.status()).toBe(403);
    await expect(page.getByText("Only admins may delete webhooks.")).toBeVisible();
    expect(await api.webhooks()).toHaveLength(1);
  });
}

test.describe("with JavaScript", () => {
  needsScript();

  test("Escape cancels", async ({ webhooks, api }) => {
    await api.add({ name: "Orders", url: "https://example.com/" });
    await webhooks.open();
    await webhooks.expectModal(await webhooks.openDeleteDialog("Orders"));
    await webhooks.page.keyboard.press("Escape");
    await webhooks.expectList();
    await webhooks.expectNames("Orders");
  });
});
