import type { Locator, Page } from "@playwright/test";

import { LIST } from "../pages/webhooks.ts";
import { expect, test } from "../support/test.ts";

/** Presses Tab until the target has the focus. These tests use only the keyboard. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  for (let press = 0; press < 80; press++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never reaches ${target}`);
}

async function follow(page: Page, target: Locator): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press("Enter");
}

test("find the cause of a failed delivery, fix it and resend", async ({ webhooks: { page }, api, receivers }) => {
  const [rejecting, accepting] = [await receivers(), await receivers()];
  rejecting.response = { status: 401 };
  const { id } = await api.add({ name: "Orders", url: rejecting.url() });
  await api.publish("chat", {}, "refused");
  const statuses = async () => (await api.deliveries(id)).map((delivery) => delivery.status);
  await expect.poll(statuses, { timeout: 15_000 }).toEqual(["failed"]);

  await page.goto(LIST);
  await follow(page, page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Deliveries" }));
  await follow(page, page.getByRole("link", { name: "refused" }));
  await expect(page.getByText("What to do:").last()).toBeVisible();
  await follow(page, page.getByRole("link", { name: "Orders" }));
  const dialog = page.getByRole("dialog", { name: "Edit Webhook" });
  await tabTo(page, dialog.getByLabel("URL", { exact: true }));
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(accepting.url());
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").filter({ hasText: "Webhook “Orders” saved." })).toBeVisible();

  await page.goto(`${LIST}/deliveries/${(await api.deliveries(id))[0]!.id}`);
  await follow(page, page.getByRole("button", { name: "Resend" }));
  await expect.poll(statuses).toEqual(["delivered"]);
  expect(accepting.calls.map((call) => call.headers["webhook-id"])).toEqual(["refused"]);
});

test("add, test and delete a webhook", async ({ webhooks: { page }, receiver }) => {
  await follow(page, page.getByRole("link", { name: "+ Add Webhook" }));
  const addDialog = page.getByRole("dialog", { name: "Add Webhook" });
  await tabTo(page, addDialog.getByLabel("URL", { exact: true }));
  await page.keyboard.type(receiver.url());
  await tabTo(page, addDialog.getByLabel("Webhook name", { exact: true }));
  await page.keyboard.type("By keys");
  await tabTo(page, addDialog.getByRole("checkbox", { name: "message", exact: true }));
  await page.keyboard.press("Space");
  await follow(page, addDialog.getByRole("button", { name: "Add", exact: true }));
  await expect(page.getByRole("status").filter({ hasText: "Webhook “By keys” added." })).toBeVisible();

  await follow(page, page.getByRole("link", { name: "By keys", exact: true }));
  const editDialog = page.getByRole("dialog", { name: "Edit Webhook" });
  await follow(page, editDialog.getByRole("button", { name: "Send test event" }).or(editDialog.getByRole("link", { name: "Send test event" })));
  const testDialog = page.getByRole("dialog", { name: "Send test event" });
  await follow(page, testDialog.getByRole("button", { name: "Send test event" }));
  await expect(testDialog.getByText("The receiver accepted the event.")).toBeVisible();
  await follow(page, testDialog.getByRole("button", { name: "Close" }));

  await follow(page, page.getByRole("link", { name: "By keys", exact: true }));
  await follow(page, editDialog.getByRole("button", { name: "Delete", exact: true }));
  const deleteDialog = page.getByRole("alertdialog", { name: "Delete “By keys”?" });
  await expect(deleteDialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  await follow(page, deleteDialog.getByRole("button", { name: "Delete webhook" }));
  await expect(page.getByText("No webhooks yet")).toBeVisible();
});

test("preview and start a recovery", async ({ webhooks: { page }, api, receiver }) => {
  await api.publish("chat", {}, "missed");
  const { id } = await api.add({ name: "Orders", url: receiver.url() });
  await page.goto(`${LIST}/${id}/deliveries`);
  await follow(page, page.getByRole("link", { name: "Recover…" }));
  await tabTo(page, page.getByRole("radio", { name: "Failed deliveries" }));
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("radio", { name: "Everything missed" })).toBeChecked();
  await follow(page, page.getByRole("button", { name: "Preview" }));
  await expect(page.getByText("1 event will be sent.")).toBeVisible();
  await follow(page, page.getByRole("button", { name: "Recover" }));
  await expect.poll(() => receiver.calls.map((call) => call.headers["webhook-id"])).toEqual(["missed"]);
});

test("read the guide", async ({ webhooks: { page } }) => {
  await follow(page, page.getByRole("link", { name: "Guide", exact: true }));
  await follow(page, page.getByRole("link", { name: "Go", exact: true }));
  const code = page.getByRole("region", { name: "go/plain.go" });
  await tabTo(page, code);
  await page.keyboard.press("End");
  await expect.poll(() => code.evaluate((element) => element.scrollTop)).toBeGreaterThan(0);
});
