import { LIST } from "../pages/webhooks.ts";
import { expect, test } from "../support/test.ts";

// The accessibility tree of each page.

test("list", async ({ webhooks: { page }, api }) => {
  await api.pause((await api.add({ name: "Orders", url: "https://example.com/" })).id);
  await page.goto(LIST);
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - main:
      - heading "Webhook" [level=1]
      - link "+ Add Webhook"
      - search:
        - searchbox "Search"
        - combobox "Event type"
        - combobox "Status"
        - button "Apply"
      - table:
        - rowgroup:
          - row "Name Events Status Last attempt 24 hours Log"
        - rowgroup:
          - row:
            - rowheader "Orders https://example.com/":
              - link "Orders"
            - cell "chat"
            - cell "Paused"
            - cell "None yet"
            - cell "Nothing sent in the last 24 hours":
              - img "Nothing sent in the last 24 hours"
            - cell "Deliveries":
              - link "Deliveries"
  `);
});

test("dialog “Add Webhook”", async ({ webhooks: { page } }) => {
  await page.goto(`${LIST}/new`);
  await expect(page.getByRole("dialog")).toMatchAriaSnapshot(`
    - dialog "Add Webhook":
      - heading "Add Webhook" [level=2]
      - textbox "URL"
      - textbox "Webhook name"
      - textbox "Secret"
      - group "Events":
        - checkbox "chat"
        - checkbox "message"
        - group "Insights":
          - checkbox "Select all insights"
          - checkbox "insight.summary"
          - checkbox "insight.topic"
          - checkbox "insight.key"
          - checkbox "insight.conversation"
          - checkbox "insight.sentiment"
      - button "Cancel"
      - button "Add"
  `);
});

test("failed delivery", async ({ webhooks: { page }, api, receiver }) => {
  receiver.response = { status: 404, body: "no such path" };
  const { id } = await api.add({ name: "Orders", url: receiver.url() });
  await api.publish("chat", {}, "lost");
  await expect.poll(async () => (await api.deliveries(id))[0]?.status, { timeout: 15_000 }).toBe("failed");
  await page.goto(`${LIST}/${id}/deliveries`);
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - main:
      - heading "Deliveries" [level=1]
      - region "Health":
        - heading "Health" [level=2]
      - search:
        - combobox "Status"
        - combobox "Event type"
        - textbox "Event ID"
        - textbox "From"
        - textbox "Until"
        - button "Apply"
      - region /Today|Yesterday/:
        - heading /Today|Yesterday/ [level=2]
        - table /Today|Yesterday/:
          - rowgroup:
            - row "Time Status Event Webhook Attempts"
          - rowgroup:
            - row:
              - cell /\\d\\d:\\d\\d:\\d\\d/
              - cell "Failed"
              - rowheader /lost/
  `);
  await page.goto(`${LIST}/deliveries/${(await api.deliveries(id))[0]!.id}`);
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - main:
      - heading "chat Failed" [level=1]
      - button "Resend"
      - region "Timeline":
        - heading "Timeline" [level=2]
        - list:
          - listitem:
            - paragraph:
              - strong: Event received
          - listitem:
            - group:
              - heading "Attempt 1" [level=3]
          - listitem:
            - group:
              - heading "Attempt 2" [level=3]
          - listitem:
            - group:
              - heading "Attempt 3" [level=3]
              - heading "Request" [level=4]
              - heading "Response" [level=4]
              - region "Response to attempt 3": no such path
          - listitem:
            - paragraph:
              - strong: Failed
      - region "Body":
        - region "Request body"
  `);
});

test("event without subscribers", async ({ webhooks: { page }, api }) => {
  await api.publish("chat", {}, "unheard");
  await page.goto(`${LIST}/events`);
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - main:
      - heading "Events" [level=1]
      - search:
        - combobox "Event type"
        - textbox "From"
        - textbox "Until"
      - region /Today|Yesterday/:
        - table:
          - rowgroup:
            - row "Received Event Sent to"
          - rowgroup:
            - row /unheard/
  `);
  await page.goto(`${LIST}/events/unheard`);
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - main:
      - heading "chat" [level=1]
      - region "Outcome":
        - paragraph: "Not sent: there was no webhook when the event was received."
      - region "Body":
        - region "Event body"
  `);
});

test("recovery and test of a webhook", async ({ webhooks: { page }, api, receiver }) => {
  const { id } = await api.add({ name: "Orders", url: receiver.url() });
  await page.goto(`${LIST}/${id}/recover`);
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - main:
      - heading "Recover" [level=1]
      - group "What to recover":
        - radio "Failed deliveries" [checked]
        - radio "Everything missed"
      - textbox "Since"
      - button "Preview"
  `);
  await page.goto(`${LIST}/${id}/test`);
  await page.getByRole("button", { name: "Send test event" }).click();
  await expect(page.getByRole("dialog")).toMatchAriaSnapshot(`
    - dialog "Send test event":
      - combobox "Event type"
      - button "Send test event"
      - status:
        - text: "200"
        - strong: The receiver accepted the event.
      - heading "Timing" [level=3]
      - heading "Response" [level=3]
      - heading "Request" [level=3]
      - region "Body of the test event": /chat/
      - button "Close"
  `);
});

test("guide and catalog", async ({ webhooks: { page } }) => {
  await page.goto(`${LIST}/guide`);
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - main:
      - heading "Guide" [level=1]
      - navigation "Contents"
      - region "Request":
        - heading "Request" [level=2]
      - region "Verify signatures":
        - heading "Verify signatures" [level=2]
        - navigation "Languages"
        - heading "With the Standard Webhooks library" [level=3]
        - heading "Without a library" [level=3]
      - region "Response"
      - region "Retries":
        - table
      - region "Check a signature"
  `);
  await page.goto(`${LIST}/event-types`);
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - main:
      - heading "Event types" [level=1]
      - navigation "Event types"
      - region "chat":
        - heading "chat" [level=2]
        - heading "Example" [level=3]
        - region "Example of chat"
      - region "message"
  `);
});
