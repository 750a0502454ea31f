import { Webhooks } from "../pages/webhooks.ts";
import { expect, needsScript, test } from "../support/test.ts";

test("the confirmation names the webhook, its URL and what is pending", async ({ webhooks, api, receiver }) => {
  // A receiver that asks for an hour's patience leaves its deliveries pending.
  receiver.answer = { status: 503, headers: { "retry-after": "3600" } };
  await api.add({ name: "Orders", url: receiver.url("/orders") });
  await api.publish("chat");
  await api.publish("chat");
  await expect.poll(() => receiver.calls.length).toBeGreaterThan(0);
  await webhooks.open();

  const dialog = await webhooks.openDeleting("Orders");
  await expect(dialog.getByText("2 deliveries are pending and will be cancelled.")).toBeVisible();
  const promise = `Once deleted, no calls will be made to ${receiver.url("/orders")}.`;
  await expect(dialog.getByText(promise)).toBeVisible();
  await expect(dialog).toHaveAccessibleDescription(/2 deliveries are pending.*Once deleted, no calls/);
});

test("with nothing pending it says so", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open();
  const dialog = await webhooks.openDeleting("Orders");
  await expect(dialog.getByText("No delivery is pending.")).toBeVisible();
});

test("Cancel has the focus, and leaves the webhook as it is", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open();
  const dialog = await webhooks.openDeleting("Orders");
  await expect(dialog.getByRole("button", { name: "Cancel", exact: true })).toBeFocused();
  await webhooks.page.keyboard.press("Enter");
  await webhooks.expectList();
  await webhooks.expectNames("Orders");
});

test("the webhook goes, and nothing is sent to it any more", async ({ webhooks, api, receivers }) => {
  const [deleted, other] = [await receivers(), await receivers()];
  await api.add({ name: "Deleted", url: deleted.url() });
  await api.add({ name: "Other", url: other.url() });
  await api.publish("chat");
  await expect.poll(() => [deleted.calls.length, other.calls.length]).toEqual([1, 1]);
  await webhooks.open();

  const dialog = await webhooks.openDeleting("Deleted");
  await dialog.getByRole("button", { name: "Delete webhook", exact: true }).click();
  await webhooks.expectList();
  await webhooks.expectMessage("Webhook “Deleted” deleted.");
  await webhooks.expectNames("Other");

  expect((await api.publish("chat")).deliveries).toBe(1);
  await expect.poll(() => other.calls.length).toBe(2);
  expect(deleted.calls).toHaveLength(1);
});

test("a retry that was due is not made", async ({ webhooks, api, receivers }) => {
  const [deleted, other] = [await receivers(), await receivers()];
  for (const receiver of [deleted, other]) receiver.answer = { status: 500, headers: { "retry-after": "4" } };
  await api.add({ name: "Other", url: other.url() });
  const { id } = await api.add({ name: "Deleted", url: deleted.url() });
  await api.publish("chat");
  await expect.poll(() => [deleted.calls.length, other.calls.length]).toEqual([1, 1]);

  await webhooks.page.goto(`/integrations/webhook/${id}/delete`);
  await webhooks.deleting("Deleted").getByRole("button", { name: "Delete webhook" }).click();
  await webhooks.expectMessage("Webhook “Deleted” deleted.");
  const before = deleted.calls.length;
  await expect.poll(() => other.calls.length, { timeout: 20_000 }).toBeGreaterThan(1);
  expect(deleted.calls).toHaveLength(before);
});

test("the name is free again", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open();
  const dialog = await webhooks.openDeleting("Orders");
  await dialog.getByRole("button", { name: "Delete webhook" }).click();
  await webhooks.expectMessage("Webhook “Orders” deleted.");

  const adding = await webhooks.openAdding();
  await adding.fill({ url: "https://example.com/", name: "Orders", events: ["chat"] });
  await adding.button("Add").click();
  await webhooks.expectMessage("Webhook “Orders” added.");
});

test("whoever is second is told that it is gone", async ({ webhooks, api, browserOf, javaScriptEnabled }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  const theirs = new Webhooks(await browserOf("admin"));
  await Promise.all([webhooks.open(), theirs.open()]);
  const [mine, other] = [await webhooks.openDeleting("Orders"), await theirs.openDeleting("Orders")];
  await mine.getByRole("button", { name: "Delete webhook" }).click();
  await webhooks.expectMessage("Webhook “Orders” deleted.");
  await other.getByRole("button", { name: "Delete webhook" }).click();
  if (javaScriptEnabled) {
    await expect(other.getByRole("alert")).toHaveText(/^It does not exist any more/);
    await other.getByRole("button", { name: "Cancel" }).click();
    await theirs.expectList();
    await expect(theirs.link("Orders")).toHaveCount(0);
  } else {
    await expect(theirs.page.getByRole("heading", { name: "Not found" })).toBeVisible();
  }
});

test("the confirmation has an address, and Back leads to the edit modal", async ({ webhooks, api }) => {
  const { id } = await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open();
  const dialog = await webhooks.openDeleting("Orders");
  await expect(webhooks.page).toHaveURL(new RegExp(`/integrations/webhook/${id}/delete\\??$`));
  await webhooks.page.reload();
  await expect(dialog).toBeVisible();
  await webhooks.page.goBack();
  await expect(webhooks.editing.name).toHaveValue("Orders");
});

for (const role of ["viewer", "member"] as const) {
  test(`a ${role} may not delete`, async ({ api, browserOf }) => {
    const { id } = await api.add({ name: "Orders", url: "https://example.com/" });
    const page = await browserOf(role);
    const answer = await page.goto(`/integrations/webhook/${id}/delete`);
    expect(answer?.status()).toBe(403);
    await expect(page.getByText("Only admins may delete webhooks.")).toBeVisible();
    expect(await api.webhooks()).toHaveLength(1);
  });
}

test.describe("with JavaScript", () => {
  needsScript();

  test("Escape cancels", async ({ webhooks, api }) => {
    await api.add({ name: "Orders", url: "https://example.com/" });
    await webhooks.open();
    await webhooks.expectModal(await webhooks.openDeleting("Orders"));
    await webhooks.page.keyboard.press("Escape");
    await webhooks.expectList();
    await webhooks.expectNames("Orders");
  });
});
