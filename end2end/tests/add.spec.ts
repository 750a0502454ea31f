import { LIST, Webhooks } from "../pages/webhooks.ts";
import { expect, needsScript, test } from "../support/test.ts";

const VALID = { url: "https://example.com/hook", name: "Orders", events: ["chat", "insight.key"] };

test("added webhook appears in the list with a message", async ({ webhooks }) => {
  const dialog = await webhooks.openAddDialog();
  await dialog.fill(VALID);
  await dialog.button("Add").click();

  await webhooks.expectList();
  await webhooks.expectMessage("Webhook “Orders” added.");
  const row = webhooks.row("Orders");
  for (const text of ["https://example.com/hook", "chat", "insight.key", "Active"]) {
    await expect(row.getByText(text, { exact: true })).toBeVisible();
  }

  await webhooks.page.reload();
  await webhooks.expectNames("Orders");
  await expect(webhooks.page.getByText("Webhook “Orders” added.")).toHaveCount(0);
});

test("Enter submits the form", async ({ webhooks }) => {
  const dialog = await webhooks.openAddDialog();
  await dialog.fill(VALID);
  await dialog.name.press("Enter");
  await webhooks.expectMessage("Webhook “Orders” added.");
});

test("fields are labeled and in order, and the first has the focus", async ({ webhooks }) => {
  const dialog = await webhooks.openAddDialog();
  await expect(dialog.url).toBeFocused();
  await expect(dialog.url).toHaveAttribute("type", "url");
  const names = dialog.root.getByRole("textbox").or(dialog.root.getByRole("checkbox"));
  await expect(names.first()).toHaveAccessibleName("URL");
  await expect(names.nth(1)).toHaveAccessibleName("Webhook name");
  await expect(dialog.secret).toBeVisible();
  await expect(dialog.events.getByRole("group", { name: "Insights" }).getByRole("checkbox")).toHaveCount(6);
  await expect(dialog.events.getByRole("checkbox")).toHaveCount(8);
});

test("form has a new secret of 32 random bytes each time", async ({ webhooks }) => {
  const dialog = await webhooks.openAddDialog();
  const first = await dialog.secret.inputValue();
  expect(first).toMatch(/^whsec_[A-Za-z0-9+/]+=*$/);
  expect(Buffer.from(first.slice("whsec_".length), "base64")).toHaveLength(32);

  await webhooks.page.reload();
  await expect(dialog.secret).not.toHaveValue(first);
});

test("custom secret signs the calls", async ({ webhooks, receiver, api }) => {
  receiver.secret = "correct horse battery staple";
  const dialog = await webhooks.openAddDialog();
  await dialog.fill({ ...VALID, url: receiver.url(), secret: receiver.secret });
  await dialog.button("Add").click();
  await webhooks.expectMessage("Webhook “Orders” added.");

  await api.publish("chat");
  await expect.poll(() => receiver.calls.map((call) => call.verification)).toEqual(["verified"]);
});

const INVALID = [
  { description: "text that is not a URL", field: "url", input: { url: "example.com/hook" } },
  { description: "a URL that is not https", field: "url", input: { url: "ftp://example.com/hook" } },
  { description: "no URL", field: "url", input: { url: "" } },
  { description: "a short secret", field: "secret", input: { secret: "hunter2" } },
  { description: "no name", field: "name", input: { name: "" } },
] as const;
const MESSAGES = {
  url: "Enter a URL that starts with https://.",
  secret: "Use at least 24 characters for the secret.",
  name: "Enter a name for the webhook.",
};

for (const { description, field, input } of INVALID) {
  test(`${description} shows an error at its field and keeps the input`, async ({ webhooks }) => {
    const all = { ...VALID, secret: "correct horse battery staple", ...input };
    const dialog = await webhooks.openAddDialog();
    await dialog.fill(all);
    await dialog.button("Add").click();

    await dialog.expectFieldError(dialog[field], MESSAGES[field]);
    await expect(dialog[field]).toBeFocused();
    await dialog.expectFields(all);
    for (const other of ["url", "secret", "name"] as const) {
      if (other !== field) await expect(dialog[other]).not.toHaveAttribute("aria-invalid", "true");
    }

    await dialog.fill({ ...VALID, secret: "correct horse battery staple" });
    await dialog.button("Add").click();
    await webhooks.expectMessage("Webhook “Orders” added.");
  });
}

test("no event shows an error at the events", async ({ webhooks }) => {
  const dialog = await webhooks.openAddDialog();
  await dialog.fill({ ...VALID, events: [] });
  const secret = await dialog.secret.inputValue();
  await dialog.button("Add").click();

  await dialog.expectFieldError(dialog.event("chat"), "Choose at least one event.");
  await expect(dialog.event("chat")).toBeFocused();
  await dialog.expectFields({ ...VALID, secret, events: [] });
});

test("taken name shows an error at the name", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  const dialog = await webhooks.openAddDialog();
  await dialog.fill(VALID);
  const secret = await dialog.secret.inputValue();
  await dialog.button("Add").click();

  await dialog.expectFieldError(dialog.name, "A webhook named “Orders” already exists.");
  await expect(dialog.name).toBeFocused();
  await dialog.expectFields({ ...VALID, secret });
});

test("shows all errors at once and focuses the first invalid field", async ({ webhooks }) => {
  const dialog = await webhooks.openAddDialog();
  const input = { url: "https://", name: " ", secret: "short", events: [] };
  await dialog.fill(input);
  await dialog.button("Add").click();

  await dialog.expectFieldError(dialog.url, MESSAGES.url);
  await dialog.expectFieldError(dialog.name, MESSAGES.name);
  await dialog.expectFieldError(dialog.secret, MESSAGES.secret);
  await dialog.expectFieldError(dialog.event("chat"), "Choose at least one event.");
  await expect(dialog.url).toBeFocused();
  await dialog.expectFields(input);
});

test("input is never interpreted as markup", async ({ webhooks }) => {
  const name = `<img src=x onerror="document.title='owned'"> & “Ö”`;
  const dialog = await webhooks.openAddDialog();
  await dialog.fill({ ...VALID, name, url: "https://" });
  await dialog.button("Add").click();
  await dialog.expectFields({ name });

  await dialog.fill({ url: VALID.url });
  await dialog.button("Add").click();
  await webhooks.expectMessage(`Webhook “${name}” added.`);
  await expect(webhooks.link(name)).toBeVisible();
  await expect(webhooks.page).toHaveTitle("Webhook · Caleida");
});

test("“Select all insights” selects all five insights", async ({ webhooks, javaScriptEnabled }) => {
  const dialog = await webhooks.openAddDialog();
  await dialog.fill({ ...VALID, events: [] });
  await dialog.events.getByRole("checkbox", { name: "Select all insights" }).check();
  if (javaScriptEnabled !== false) {
    await expect(dialog.event("insight.topic")).toBeChecked();
    await expect(dialog.event("chat")).not.toBeChecked();
  }
  await dialog.button("Add").click();
  await webhooks.expectMessage("Webhook “Orders” added.");

  const editDialog = await webhooks.openEditDialog("Orders");
  const insights = ["summary", "topic", "key", "conversation", "sentiment"].map((kind) => `insight.${kind}`);
  await editDialog.expectFields({ events: insights });
});

test("Cancel returns to the list and adds nothing", async ({ webhooks }) => {
  const dialog = await webhooks.openAddDialog();
  await dialog.fill(VALID);
  await dialog.button("Cancel").click();
  await webhooks.expectList();
  await expect(webhooks.page.getByText("No webhooks yet")).toBeVisible();
});

test("dialog has a URL: it can be linked, reloaded, and left with Back", async ({ webhooks }) => {
  const { page, addDialog } = webhooks;
  await webhooks.openAddDialog();
  await expect(page).toHaveURL(`${LIST}/new`);
  await page.reload();
  await expect(addDialog.url).toBeVisible();
  await page.goBack();
  await webhooks.expectList();
  await page.goForward();
  await expect(addDialog.url).toBeVisible();
  await page.goto(`${LIST}/new`);
  await expect(addDialog.url).toBeVisible();
});

test("members can add webhooks, viewers cannot", async ({ signedInPage }) => {
  const member = new Webhooks(await signedInPage("member"));
  await member.open();
  const dialog = await member.openAddDialog();
  await dialog.fill(VALID);
  await dialog.button("Add").click();
  await member.expectMessage("Webhook “Orders” added.");

  const viewer = await signedInPage("viewer");
  const response = await viewer.goto(`${LIST}/new`);
  expect(response?.status()).toBe(403);
  await expect(viewer.getByText("Viewers may not add webhooks.")).toBeVisible();
});

test.describe("with JavaScript", () => {
  needsScript();

  test("Escape returns to the list", async ({ webhooks }) => {
    const dialog = await webhooks.openAddDialog();
    await webhooks.expectModal(dialog.root);
    await webhooks.page.keyboard.press("Escape");
    await webhooks.expectList();
  });

  test("click outside closes the dialog unless it has unsaved input", async ({ webhooks }) => {
    const dialog = await webhooks.openAddDialog();
    await webhooks.expectModal(dialog.root);
    await webhooks.page.mouse.click(5, 5);
    await webhooks.expectList();

    await webhooks.openAddDialog();
    await webhooks.expectModal(dialog.root);
    await dialog.name.fill("Orders");
    await webhooks.page.mouse.click(5, 5);
    await expect(dialog.name).toHaveValue("Orders");
  });

  test("secret is masked, and can be shown, copied and generated", async ({ webhooks, context }) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const dialog = await webhooks.openAddDialog();
    await expect(dialog.secret).toHaveAttribute("type", "password");
    await dialog.button("Show").click();
    await expect(dialog.secret).toHaveAttribute("type", "text");
    const first = await dialog.secret.inputValue();

    await dialog.button("Generate new").click();
    await expect(dialog.secret).not.toHaveValue(first);
    const second = await dialog.secret.inputValue();
    expect(Buffer.from(second.replace(/^whsec_/, ""), "base64")).toHaveLength(32);

    await dialog.button("Copy").click();
    await expect(dialog.root.getByRole("status").filter({ hasText: "Copied" })).toBeVisible();
    expect(await webhooks.page.evaluate(() => navigator.clipboard.readText())).toBe(second);

    await dialog.button("Hide").click();
    await expect(dialog.secret).toHaveAttribute("type", "password");
  });

  test("form shows advice while the user types", async ({ webhooks, consoleErrors }) => {
    // Chromium logs the status 422 of the URL check.
    consoleErrors.allow(/status of 422 .*\/integrations\/webhook\/advice/);
    const dialog = await webhooks.openAddDialog();
    await expect(dialog.button("Show")).toBeVisible();

    await dialog.url.fill("ftp://example.com");
    await dialog.expectFieldError(dialog.url, MESSAGES.url);
    await dialog.url.fill("https://me:pw@example.com/");
    await expect(dialog.root.getByText(/^Remove the user name and password from the URL/)).toBeVisible();
    await dialog.url.fill("https://10.0.0.1/hook");
    await expect(dialog.root.getByText(/10\.0\.0\.1, which is not a public address/)).toBeVisible();
    await expect(dialog.url).not.toHaveAttribute("aria-invalid", "true");

    await dialog.secret.fill("aaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    await expect(dialog.root.getByText(/^The secret repeats a few characters/)).toBeVisible();
    await dialog.secret.fill("correct horse battery staple");
    const whsec = `whsec_${Buffer.from("correct horse battery staple").toString("base64")}`;
    await expect(dialog.root.getByText(whsec)).toBeVisible();
  });
});
