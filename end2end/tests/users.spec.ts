import { Login } from "../pages/login.ts";
import { Joining, USERS, Users } from "../pages/users.ts";
import { Webhooks } from "../pages/webhooks.ts";
import { expectAccessible } from "../support/axe.ts";
import { expect, needsScript, test } from "../support/test.ts";

// axe looks three times at each state, which takes a busy machine its time.
test.describe.configure({ timeout: 120_000 });

const PASSWORD = "a password of their own";

test("somebody is invited, joins by the link, and is one of the users", async ({
  browserOf,
  browser,
  javaScriptEnabled,
}) => {
  const users = new Users(await browserOf("admin"));
  await users.page.goto("/integrations/webhook");
  await users.page.getByRole("link", { name: "Users" }).click();
  const email = `new-${Date.now()}-${Math.random()}@caleida.test`;
  const link = await users.invite(email, "member");
  await expect(users.link).toBeFocused();
  await expect(users.row(email)).toContainText("Invited");
  await expectAccessible(users.page);

  const context = await browser.newContext({ javaScriptEnabled: javaScriptEnabled ?? true });
  const joining = new Joining(await context.newPage());
  await joining.page.goto(link);
  await expect(joining.email).toHaveValue(email);
  await expect(joining.password).toBeFocused();
  await expectAccessible(joining.page);
  await joining.password.fill("short");
  await joining.password.press("Enter");
  await expect(joining.password).toHaveAttribute("aria-invalid", "true");
  await expect(joining.password).toHaveAccessibleDescription(/Use at least 12 characters\./);
  await expectAccessible(joining.page);
  await joining.password.fill(PASSWORD);
  await joining.button.click();
  await new Webhooks(joining.page).expectList();

  await joining.page.goto(link);
  await expect(joining.refusal).toBeVisible();
  await expectAccessible(joining.page);
  await context.close();

  await users.open();
  await expect(users.link).toHaveCount(0);
  await expect(users.row(email)).toContainText("Active");
  await expect(users.row(email).locator("time")).toBeVisible();
});

test("a link is made anew, and revoked", async ({ browserOf, page }) => {
  const users = new Users(await browserOf("admin"));
  await users.open();
  const email = `late-${Date.now()}-${Math.random()}@caleida.test`;
  const first = await users.invite(email, "viewer");
  await users.open();
  await users.row(email).getByRole("button", { name: "New link" }).click();
  const second = await users.newLink(email);
  expect(second).not.toBe(first);
  const joining = new Joining(page);
  await page.goto(first);
  await expect(joining.refusal).toBeVisible();
  await page.goto(second);
  await expect(joining.heading).toBeVisible();

  await users.row(email).getByRole("button", { name: "Revoke" }).click();
  await users.expectMessage(`The invite for ${email} was revoked.`);
  await expect(users.row(email)).toHaveCount(0);
  await page.goto(second);
  await expect(joining.refusal).toBeVisible();
  await page.getByRole("link", { name: "Sign in" }).click();
  await expect(new Login(page).heading).toBeVisible();
});

test("an email that cannot be invited is refused at its field", async ({ browserOf, account }) => {
  const users = new Users(await browserOf("admin"));
  const { email } = await account.person("viewer");
  await users.open();
  for (const [typed, error] of [
    ["nobody", "Enter an email address, such as ada@example.com."],
    [email, `${email} belongs to this account already.`],
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

test("a role is changed by keyboard, and counts at once", async ({ browserOf }) => {
  const users = new Users(await browserOf("admin"));
  const viewer = await browserOf("viewer");
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
  await users.expectMessage(`${email} is a member now.`);
  await expect(users.row(email)).toContainText("Member");

  await viewer.reload();
  await expect(viewer.getByRole("dialog", { name: "Add Webhook" })).toBeVisible();
});

test("who is disabled is out, and in again when they are enabled", async ({ browserOf, account, page }) => {
  const users = new Users(await browserOf("admin"));
  const person = await account.person("member");
  const login = new Login(page);
  await login.open();
  await login.signIn(person);
  await new Webhooks(page).expectList();

  await users.open();
  await users.openPerson(person.email);
  await users.button("Disable").click();
  await users.expectMessage(`${person.email} was disabled and signed out.`);
  await expect(users.row(person.email)).toContainText("Disabled");
  await page.reload();
  await login.signIn(person);
  await expect(login.refusal).toHaveText("Email or password is wrong.");

  await users.openPerson(person.email);
  await expectAccessible(users.page);
  await users.button("Enable").click();
  await users.expectMessage(`${person.email} may sign in again.`);
  await login.signIn(person);
  await new Webhooks(page).expectList();
});

test("the last admin cannot be disabled or demoted", async ({ browserOf }) => {
  const users = new Users(await browserOf("admin"));
  await users.open();
  await users.page.getByRole("rowheader").getByRole("link").click();
  const refusal = users.page.getByRole("alert");
  await users.role("viewer").check();
  await users.button("Save").click();
  await expect(refusal).toHaveText(/is the last active admin of this account\. Make somebody else an admin first\.$/);
  await expect(refusal).toBeFocused();
  await expectAccessible(users.page);
  await users.button("Disable").click();
  await expect(refusal).toHaveText(/is the last active admin/);
  await users.open();
  await expect(users.page.getByRole("rowheader")).toHaveCount(1);
});

test("only admins see the users", async ({ browserOf }) => {
  for (const role of ["viewer", "member"] as const) {
    const page = await browserOf(role);
    await page.goto(USERS);
    await expect(page.getByText("Only admins may manage users. Ask one of yours.")).toBeVisible();
    await expect(page.getByRole("link", { name: "Users" })).toHaveCount(0);
  }
});

test("the command line makes a link as well", async ({ server, page }) => {
  const email = `cli-${Date.now()}-${Math.random()}@caleida.test`;
  const args = ["user", "invite", "--email", email, "--role", "viewer", "--account", `cli-${email}`];
  const link = await server.command([...args, "--public-url", server.url]);
  expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/invite\/[\w-]{43}$/);
  await page.goto(link);
  await expect(new Joining(page).email).toHaveValue(email);
});

test.describe("with JavaScript", () => {
  needsScript();

  test("the link can be copied", async ({ browserOf }) => {
    const page = await browserOf("admin", { permissions: ["clipboard-read", "clipboard-write"] });
    const users = new Users(page);
    await users.open();
    const link = await users.invite(`copy-${Date.now()}@caleida.test`, "viewer");
    await users.button("Copy").click();
    await expect(page.getByText("Copied")).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(link);
  });
});
