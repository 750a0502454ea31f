import { Login } from "../pages/login.ts";
import { Webhooks } from "../pages/webhooks.ts";
import { expect, test } from "../support/test.ts";

test("sign in, add, receive, move and delete", async ({ page, account, api, receivers }) => {
  const [first, second, witness] = [await receivers(), await receivers(), await receivers()];
  const webhooks = new Webhooks(page);

  await test.step("sign in", async () => {
    await page.goto("/");
    await new Login(page).signIn(await account.createUser("admin"));
    await webhooks.expectList();
  });

  await test.step("add a webhook in the dialog", async () => {
    const dialog = await webhooks.openAddDialog();
    first.secret = second.secret = await dialog.secret.inputValue();
    await dialog.fill({ url: first.url("/hook?from=caleida"), name: "Orders", events: ["chat", "insight.summary"] });
    await dialog.button("Add").click();
    await webhooks.expectMessage("Webhook “Orders” added.");
  });

  await test.step("the official library verifies the call, and the body matches the event", async () => {
    const data = { chat_id: "c-1", title: "Grüße 👋", nested: { list: [1, 2.5, null] } };
    const event = await api.publish("chat", data);
    expect(event.deliveries).toBe(1);
    await expect.poll(() => first.calls.length).toBe(1);
    const call = first.calls[0]!;
    expect(call).toMatchObject({ method: "POST", path: "/hook?from=caleida", verification: "verified" });
    expect(call.headers).toMatchObject({
      "content-type": "application/json",
      "webhook-id": event.id,
      "user-agent": expect.stringMatching(/^Caleida-Webhooks\/\d/),
      "webhook-timestamp": expect.stringMatching(/^\d{10}$/),
    });
    const body = JSON.parse(call.body) as Record<string, unknown>;
    expect(Object.keys(body)).toEqual(["type", "timestamp", "data"]);
    expect(body).toMatchObject({ type: "chat", timestamp: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/), data });
  });

  await test.step("an event without subscribers is not sent", async () => {
    expect((await api.publish("message")).deliveries).toBe(0);
  });

  await test.step("after an edit, events go to the new URL", async () => {
    await webhooks.open();
    const dialog = await webhooks.openEditDialog("Orders");
    await dialog.fill({ url: second.url("/moved") });
    await dialog.button("Save").click();
    await webhooks.expectMessage("Webhook “Orders” saved.");

    await api.publish("insight.summary");
    await expect.poll(() => second.calls.map((call) => call.verification)).toEqual(["verified"]);
    expect(first.calls).toHaveLength(1);
  });

  await test.step("after the deletion, no event is sent", async () => {
    await api.add({ name: "Witness", url: witness.url(), events: ["chat"] });
    await webhooks.open();
    const dialog = await webhooks.openDeleteDialog("Orders");
    await dialog.getByRole("button", { name: "Delete webhook" }).click();
    await webhooks.expectMessage("Webhook “Orders” deleted.");

    await api.publish("chat");
    await expect.poll(() => witness.calls.length).toBe(1);
    expect([first.calls.length, second.calls.length]).toEqual([1, 1]);
  });
});
