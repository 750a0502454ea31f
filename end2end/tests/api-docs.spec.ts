import { expectAccessible } from "../support/axe.ts";
import { SCRIPTLESS, expect, signIn, test } from "../support/test.ts";

const DOCS = "/api/docs";

// axe checks each state three times, which is slow on a busy machine.
test.describe.configure({ timeout: 120_000 });

test("API reference is public, with a table of contents and linked schemas", async ({ page }) => {
  await page.goto(DOCS);
  await expect(page.getByRole("heading", { level: 1, name: "API" })).toBeVisible();
  const contents = page.getByRole("navigation", { name: "Contents" });
  await contents.getByRole("link", { name: "Publish an event" }).click();
  await expect(page).toHaveURL(/#publishEvent$/);
  const call = page.getByRole("article", { name: "Publish an event" });
  await expect(call).toBeInViewport();
  await expect(call.getByText("POST /api/v1/events", { exact: true })).toBeVisible();
  await expect(call.getByText("events:write")).toBeVisible();
  await expect(call.getByRole("region", { name: "curl for Publish an event" })).toContainText("curl -sS 'http");
  await call.getByRole("link", { name: "Receipt" }).first().click();
  await expect(page.getByRole("article", { name: "Receipt", exact: true })).toBeInViewport();
});

test("signed-in user keeps the navigation", SCRIPTLESS, async ({ page, account }) => {
  await signIn(page, await account.createUser("admin"));
  await page.goto(DOCS);
  await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();
  await expect(page.getByRole("heading", { level: 1, name: "API" })).toBeVisible();
  await expectAccessible(page);
});
