/* sso.mjs: logging in at real identity providers, from the login page and
 * back to the page one wanted. */
import { api, axe, context, expect, goto, journey, page, run, settled, ui }
	from "./kit.mjs";

/* The providers' pages are theirs: what they load and print is no matter. */
const theirs = () => expect("asks elsewhere: https://localhost:",
    "asks elsewhere: http://localhost:", "https://localhost:",
    "http://localhost:");
const WANTED = `/p/${ui.project}/incidents?text=shop`;

/* From the page one wanted to the provider's form. */
async function depart(t, name) {
	const p = await page(await context({ ignoreHTTPSErrors: true }));
	await p.goto(ui.url + WANTED);
	await p.waitForURL(/\/login\?next=/);
	const link = p.getByRole("link", { name: `Log in with ${name}` });
	await link.waitFor();
	t.eq(await axe(p), [], "axe, login");
	await link.focus();
	await p.keyboard.press("Enter");
	await p.waitForURL(/^https?:\/\/localhost:/);
	return p;
}

async function arrived(t, p, who, method) {
	await p.waitForURL(u => u.href.startsWith(ui.url) &&
	    !u.pathname.startsWith("/login") && !u.pathname.startsWith("/auth"));
	await settled(p);
	const at = new URL(p.url());
	t.eq(at.pathname + at.search, WANTED, "where it ends");
	await p.getByText("The shop is closed").first().waitFor();
	await goto(p, "/me");
	t.check((await p.locator("main").innerText()).includes(who), who);
	const row = p.getByRole("row", { name: /this one/ });
	await row.waitFor();
	t.eq(await row.getByRole("cell").nth(1).innerText(), method, "method");
	t.eq(await axe(p), [], "axe, me");
	await p.getByRole("button", { name: "Log out" }).click();
	await p.waitForURL(/\/login/);
}

async function atOp(p, user) {
	await p.locator("[name=login]").fill(user);
	await p.locator("[name=password]").fill("x");
	await p.locator("[type=submit]").click();
	await p.locator("[name=login]").waitFor({ state: "detached" });
	await p.locator("[type=submit]").click();
}

journey("openid_connect_by_code", async t => {
	theirs();
	expect("401");
	const p = await depart(t, "code-rs256");
	await atOp(p, "alice");
	await arrived(t, p, "alice of the OP", "oidc");
});

journey("openid_connect_by_form_post", async t => {
	theirs();
	expect("401");
	const p = await depart(t, "id-token-es256");
	await atOp(p, "alice");
	await arrived(t, p, "alice of the OP", "oidc");
});

journey("saml_of_simplesamlphp", async t => {
	theirs();
	expect("401");
	const p = await depart(t, "ssp-both");
	await p.locator("#username").fill("alice");
	await p.locator("#password").fill("secret");
	await p.locator("#submit_button, [type=submit]").first().click();
	await arrived(t, p, "Alice of SSP", "saml");
});

/* no way out of ours by a link that somebody else has made */
journey("next_is_a_page_of_ours", async t => {
	theirs();
	expect("401");
	const p = await page(await context({ ignoreHTTPSErrors: true }));
	await p.goto(`${ui.url}/login?next=${encodeURIComponent(
	    "//localhost:1/evil")}`);
	const link = p.getByRole("link", { name: "Log in with code-rs256" });
	t.eq(new URL(await link.getAttribute("href"), ui.url).searchParams
	    .get("next"), "/", "next");
	await link.click();
	await atOp(p, "alice");
	await p.waitForURL(ui.url + "/");
	await settled(p);
});

/* whoever the provider knows and nobody here has let in sees nothing */
journey("a_stranger_of_the_provider_has_no_project", async t => {
	theirs();
	expect("401", "404", "403");
	const p = await depart(t, "code-rs256");
	await atOp(p, "mallory");
	await p.waitForURL(u => u.href.startsWith(ui.url + "/p/"));
	await settled(p);
	t.check(!(await p.locator("main").innerText()).includes(
	    "The shop is closed"), "an incident");
	t.eq((await api("GET", "/v1/users?limit=200")).json.items.filter(u =>
	    u.name === "mallory of the OP").length, 1, "on record");
	t.eq(await axe(p), [], "axe");
});

await run();
