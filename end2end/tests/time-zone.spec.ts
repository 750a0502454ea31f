import { expectAccessible } from "../support/axe.ts";
import { expect, needsScript, test } from "../support/test.ts";

const ZONE = "/settings/time-zone";

test("chosen time zone applies to every page", async ({ webhooks: { page }, api, receiver }) => {
  await api.add({ name: "Orders", url: receiver.url() });
  await api.publish("chat");
  await expect.poll(() => api.delivered()).toBe(1);
  await page.goto("/integrations/webhook/deliveries");
  await page.getByText(/^admin-.*@caleida\.test$/).click();
  await page.getByRole("link", { name: /^Time zone:/ }).click();
  await expectAccessible(page);
  await page.getByLabel("Time zone").selectOption("Asia/Kolkata");
  await page.getByRole("button", { name: "Save" }).click();

  await expect(page.getByRole("status").filter({ hasText: "Times are shown in Asia/Kolkata." })).toBeVisible();
  await expect(page).toHaveURL(/\/integrations\/webhook\/deliveries$/);
  const time = page.locator("time").first();
  const utc = (await time.getAttribute("datetime"))!;
  const there = new Date(utc).toLocaleTimeString("en-GB", { timeZone: "Asia/Kolkata" });
  await expect(time).toHaveText(there);
  await expect(time).toHaveAttribute("title", new RegExp(`, ${there} IST$`));

  // The URL shows the same time range in other time zones.
  await page.getByLabel("From").fill("2026-11-23T05:30");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page).toHaveURL(/since=2026-11-23T00%3A00%3A00Z/);
  await expect(page.getByLabel("From")).toHaveValue("2026-11-23T05:30");

  await page.goto(ZONE);
  await page.getByLabel("Time zone").selectOption("Browser time zone");
  await page.getByRole("button", { name: "Save" }).click();
  await page.goto("/integrations/webhook/deliveries");
  await expect(time).toHaveText(new Date(utc).toLocaleTimeString("en-GB", { timeZone: "UTC" }));
});

test.describe("with JavaScript", () => {
  needsScript();

  test("first page already uses the time zone of the browser", async ({ signedInPage }) => {
    const page = await signedInPage("viewer", { timezoneId: "America/New_York" });
    await page.goto("/");
    const names = async () => (await page.context().cookies()).map((cookie) => cookie.name);
    await expect.poll(names).toContain("zone");
    await page.goto(ZONE);
    await expect(page.getByText("the time zone of your browser")).toBeVisible();
    await expect(page.locator("time").first()).toHaveText(/ (EST|EDT)$/);
  });
});
