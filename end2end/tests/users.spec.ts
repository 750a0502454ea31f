import { Login } from "../pages/login.ts";
import { JoinPage, USERS, Users } from "../pages/users.ts";
import { Webhooks } from "../pages/webhooks.ts";
import { expectAccessible } from "../support/axe.ts";
import { expect, needsScript, test } from "../support/test.ts";

// axe checks each state three times, which is slow on a busy machine.
test.describe.configure({ timeout: 120_000 });

const PASSWORD = "a password of their own";

test("invited user joins with the link and appears in the list", async ({
  signedInPage,
  browser,
  visits,
  javaScriptEnabled,
}) => {
  const users = new Users(await signedInPage("admin"));
  await users.page.goto("/integrations/webhook");
  await users.page.getByRole("link", { name: "Users" }).click();
  const email = `new-${Date.now()}-${Math.random()}@caleida.test`;
  const link = await users.invite(email, "member");
  await expect(users.link).toBeFocused();
  await expect(users.row(email)).toContainText("Invited");
  await expectAccessible(users.page);

  const context = await browser.newContext({ javaScriptEnabled: javaScriptEnabled ?? true });
  visits.watch(context, javaScriptEnabled ?? true);
  const joinPage = new JoinPage(await context.newPage());
  await joinPage.page.goto(link);
  await expect(joinPage.email).toHaveValue(email);
  await expect(joinPage.password).toBeFocused();
  await expectAccessible(joinPage.page);
  await joinPage.password.fill("short");
  await joinPage.password.press("Enter");
  await expect(joinPage.password).toHaveAttribute("aria-invalid", "true");
  await expect(joinPage.password).toHaveAccessibleDescription(/Use at least 12 characters\./);
  await expectAccessible(joinPage.page);
  await joinPage.password.fill(PASSWORD);
  await joinPage.button.click();
  await new Webhooks(joinPage.page).expectList();

  await joinPage.page.goto(link);
  await expect(joinPage.error).toBeVisible();
  await expectAccessible(joinPage.page);
  await context.close();

  await users.open();
  await expect(users.link).toHaveCount(0);
  await expect(users.row(email)).toContainText("Active");
  await expect(users.row(email).locator("time")).toBeVisible();
});

test("invite link is renewed and revoked", async ({ signedInPage, page }) => {
  const users = new Users(await signedInPage("admin"));
  await users.open();
  const email = `late-${Date.now()}-${Math.random()}@caleida.test`;
  const first = await users.invite(email, "viewer");
  await users.open();
  await users.row(email).getByRole("button", { name: "New link" }).click();
  const second = await users.newLink(email);
  expect(second).not.toBe(first);
  const joinPage = new JoinPage(page);
  await page.goto(first);
  await expect(joinPage.error).toBeVisible();
  await page.goto(second);
  await expect(joinPage.heading).toBeVisible();

  await users.row(email).getByRole("button", { name: "Revoke" }).click();
  await users.expectMessage(`The invite for ${email} was revoked.`);
  await expect(users.row(email)).toHaveCount(0);
  await page.goto(second);
  await expect(joinPage.error).toBeVisible();
  await page.getByRole("link", { name: "Sign in" }).click();
  await expect(new Login(page).heading).toBeVisible();
});

test("email that cannot be invited shows an error at its field", async ({ signedInPage, account }) => {
  const users = new Users(await signedInPage("admin"));
  const { email } = await account.createUser("viewer");
  await users.open();
  for (const [typed, error] of [
    ["not-an-email", "Enter an email address, such as ada@example.com."],
    [email, `${email} already belongs to this account.`],
  ] as const) {
    await users.email.fill(typed);
    await users.role("admin").check();
    await users.email.press("Enter");
    await expect(users.email).toHaveAttribute("aria-invalid", "true");
    await expect(users.email).toHaveAccessibleDescription(new RegExp(error.replaceAll(".", "\\.")));
    await expect(users.email).toBeFocused();
    await expect(users.email).toHaveValue(typed);
    await expect(users.role("admin")).toBeChecked();
  }
  await expectAccessible(users.page);
});

test("role is changed by keyboard and applies at once", async ({ signedInPage }) => {
  const users = new Users(await signedInPage("admin"));
  const viewer = await signedInPage("viewer");
  await viewer.goto("/settings/account");
  const email = (await viewer.getByRole("main").getByRole("strong").textContent())!;
  await viewer.goto("/integrations/webhook/new");
  await expect(viewer.getByRole("heading", { name: "Not allowed" })).toBeVisible();

  await users.open();
  await users.page.getByRole("link", { name: email, exact: true }).focus();
  await users.page.keyboard.press("Enter");
  await expect(users.page.getByRole("heading", { name: email })).toBeVisible();
  await expectAccessible(users.page);
  await users.role("viewer").focus();
  await users.page.keyboard.press("ArrowDown");
  await users.page.keyboard.press("Enter");
  await users.expectMessage(`${email} is now a member.`);
  await expect(users.row(email)).toContainText("Member");

  await viewer.reload();
  await expect(viewer.getByRole("dialog", { name: "Add Webhook" })).toBeVisible();
});

test("disabled user is signed out and can sign in once enabled", async ({ signedInPage, account, page }) => {
  const users = new Users(await signedInPage("admin"));
  const user = await account.createUser("member");
  const login = new Login(page);
  await login.open();
  await login.signIn(user);
  await new Webhooks(page).expectList();

  await users.open();
  await users.openUser(user.email);
  await users.button("Disable").click();
  await users.expectMessage(`${user.email} was disabled and signed out.`);
  await expect(users.row(user.email)).toContainText("Disabled");
  await page.reload();
  await login.signIn(user);
  await expect(login.error).toHaveText("Email or password is wrong.");

  await users.openUser(user.email);
  await expectAccessible(users.page);
  await users.button("Enable").click();
  await users.expectMessage(`${user.email} can sign in again.`);
  await login.signIn(user);
  await new Webhooks(page).expectList();
});

test("last admin cannot be disabled or demoted", async ({ signedInPage }) => {
  const users = new Users(await signedInPage("admin"));
  await users.open();
  await users.page.getByRole("rowheader").getByRole("link").click();
  const error = users.page.getByRole("alert");
  await users.role("viewer").check();
  await users.button("Save").click();
  await expect(error).toHaveText(/is the last active admin of this account\. Make another user an admin first\.$/);
  await expect(error).toBeFocused();
  await expectAccessible(users.page);
  await users.button("Disable").click();
  await expect(error).toHaveText(/is the last active admin/);
  await users.open();
  await expect(users.page.getByRole("rowheader")).toHaveCount(1);
});

test("only admins see the list of users", async ({ signedInPage }) => {
  for (const role of ["viewer", "member"] as const) {
    const page = await signedInPage(role);
    await page.goto(USERS);
    await expect(page.getByText("Only admins may manage users. Ask an admin of your account.")).toBeVisible();
    await expect(page.getByRole("link", { name: "Users" })).toHaveCount(0);
  }
});

test("command line creates an invite link", async ({ server, page }) => {
  const email = `cli-${Date.now()}-${Math.random()}@caleida.test`;
  const args = ["user", "invite", "--email", email, "--role", "viewer", "--account", `cli-${email}`];
  const link = await server.command([...args, "--public-url", server.url]);
  expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/invite\/[\w-]{43}$/);
  await page.goto(link);
  await expect(new JoinPage(page).email).toHaveValue(email);
});

test.describe("with JavaScript", () => {
  needsScript();

  test("link can be copied", async ({ signedInPage }) => {
    const page = await signedInPage("admin", { permissions: ["clipboard-read", "clipboard-write"] });
    const users = new Users(page);
    await users.open();
    const link = await users.invite(`copy-${Date.now()}@caleida.test`, "viewer");
    await users.button("Copy").click();
    await expect(page.getByText("Copied")).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(link);
  });
});
