/* account.mjs: logging in and out, one's ways to log in, what an ended session
 * and a lost server look like. */
import { createHmac } from "node:crypto";
import { api, axe, context, expect, journey, login, page, run, settled, sleep,
	ui, until } from "./kit.mjs";

const B32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
function totp(secret, step) {
	let bits = "";
	for (const c of secret)
		bits += B32.indexOf(c).toString(2).padStart(5, "0");
	const key = Buffer.from(bits.match(/.{8}/g).map(b => parseInt(b, 2)));
	const at = Buffer.alloc(8);
	at.writeBigUInt64BE(BigInt(step));
	const mac = createHmac("sha1", key).update(at).digest();
	const v = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
	return String(v % 1000000).padStart(6, "0");
}
const step = () => Math.floor(Date.now() / 30000);

async function newcomer(name) {
	const email = `${name}@example.com`;
	const u = (await api("POST", "/v1/users", { email, name })).json;
	await api("POST", "/v1/bindings", { subject: { kind: "user", id: u.id },
		role: "viewer", project: ui.project });
	const { token } = (await api("POST", `/v1/users/${u.id}/enrolment`))
	    .json;
	return { id: u.id, email, token, password: "seven wet herons sing" };
}
async function enrolled(name) {
	const n = await newcomer(name);
	await api("POST", "/v1/me/password", { new: n.password },
	    { token: n.token });
	return n;
}

journey("a_wrong_password_says_so_and_nothing_else", async t => {
	expect("401");
	const p = await page(await context());
	await p.goto(ui.url + "/p/default/incidents");
	await p.waitForURL(/\/login\?next=/);
	await p.getByLabel("E-mail address").fill(ui.people.viewer.email);
	await p.getByLabel("Password").fill("this is not the one");
	await p.keyboard.press("Enter");
	const said = await p.getByRole("alert").innerText();
	t.check(said.includes("That is not right"), said);
	t.eq(await axe(p), []);
	await p.getByLabel("Password").fill(ui.people.viewer.password);
	await p.keyboard.press("Enter");
	await p.waitForURL(ui.url + "/p/default/incidents");
	await p.getByRole("button", { name: "Log out" }).click();
	await p.waitForURL(/\/login/);
	await p.goto(ui.url + "/me");
	await p.waitForURL(/\/login\?next=%2Fme/);
});

journey("an_enrolment_link_sets_a_password", async t => {
	const n = await newcomer("enrol");
	const p = await page(await context());
	expect("400");
	await p.goto(`${ui.url}/enrol#${n.token}`);
	await p.getByLabel("New password").waitFor();
	t.check(!(await p.evaluate(() => location.href)).includes(n.token),
	    "the token stays in the address");
	await p.getByLabel("New password").fill("short");
	await p.keyboard.press("Enter");
	const bad = await p.getByRole("alert").innerText();
	t.check(bad.length > 10, bad);
	await p.getByLabel("New password").fill(n.password);
	await p.keyboard.press("Enter");
	await p.waitForURL(/\/login/);
	const q = await login(n, "/me", { context: p.context() });
	t.check((await q.locator("main").innerText()).includes(n.email) ||
	    (await q.locator(".me").innerText()).includes("enrol"), "who");
});

journey("an_authenticator_app_and_recovery_codes", async t => {
	expect("401");
	const n = await enrolled("totp");
	const p = await login(n, "/me");
	await p.getByRole("button", { name: "Add an authenticator app" }).click();
	const d = p.getByRole("dialog");
	await d.getByLabel("Name of the device").fill("phone");
	await d.getByRole("button", { name: "Create" }).click();
	await d.getByRole("img").waitFor();
	t.eq(await axe(p), [], "axe");
	const secret = await d.locator("code").innerText();
	await d.getByLabel("Code").fill(totp(secret, step() - 1));
	await p.keyboard.press("Enter");
	await p.getByRole("cell", { name: "Authenticator app" }).waitFor();
	await p.getByRole("button", { name: "New recovery codes" }).click();
	await d.getByRole("button", { name: "New recovery codes" }).click();
	await d.getByRole("listitem").first().waitFor();
	const codes = await d.getByRole("listitem").allInnerTexts();
	t.eq(codes.length, 10);
	await d.getByRole("button", { name: "I have kept them" }).click();
	await settled(p);
	t.check(!(await p.content()).includes(codes[0]), "a code stays");
	/* without the code nobody comes in; with it, and with a recovery code */
	for (const [code, good] of [["", false], [totp(secret, step()), true],
	    [codes[3], true]]) {
		const q = await page(await context());
		await q.goto(ui.url + "/login?next=/me");
		await q.getByLabel("E-mail address").fill(n.email);
		await q.getByLabel("Password").fill(n.password);
		await q.getByLabel("Code").fill(code);
		await q.keyboard.press("Enter");
		if (good)
			await q.waitForURL(ui.url + "/me");
		else
			await q.getByRole("alert").waitFor();
	}
});

journey("an_ended_session_asks_and_goes_on", async t => {
	expect("401");
	const p = await login("responder", "/me");
	const id = (await p.evaluate(async () => (await (await fetch(
	    "/v1/whoami")).json()).session.id));
	await p.getByRole("button", { name: "Change password" }).click();
	const d = p.getByRole("dialog", { name: "Change password" });
	await d.getByLabel("Present password").fill(
	    ui.people.responder.password);
	await d.getByLabel("New password").fill("another twelve otters");
	const a = await api("DELETE", `/v1/sessions/${id}`);
	t.check(a.status < 300, `ended: ${a.status} ${a.text}`);
	/* the live stream hears of it before anybody clicks */
	const again = p.getByRole("dialog", { name: "Log in again" });
	await again.waitFor();
	t.eq(await axe(p), [], "axe");
	await again.getByLabel("Password").fill(ui.people.responder.password);
	await p.keyboard.press("Enter");
	await again.waitFor({ state: "detached" });
	await d.getByRole("button", { name: "Change password" }).click();
	await p.getByRole("status").getByText("The password is set").waitFor();
	/* and back, so that others can log in */
	await p.getByRole("button", { name: "Change password" }).click();
	await d.getByLabel("Present password").fill("another twelve otters");
	await d.getByLabel("New password").fill(ui.people.responder.password);
	await p.keyboard.press("Enter");
	await d.waitFor({ state: "detached" });
});

journey("a_lost_server_is_said_and_found_again", async t => {
	expect("Failed to load resource", "net::ERR");
	const p = await login("viewer", "/p/default/incidents");
	await p.context().setOffline(true);
	await p.getByLabel("Severity").first().selectOption("sev1");
	await p.getByText("The connection is lost.").first().waitFor();
	t.check((await p.locator(".fresh").innerText()).includes("Not live"),
	    "not live");
	t.eq(await axe(p), []);
	await p.context().setOffline(false);
	await p.locator(".banners").getByRole("button", { name: "Try again" })
	    .click();
	await p.getByText("The connection is lost.")
	    .waitFor({ state: "detached" });
	await until(async () => (await p.locator(".fresh").innerText())
	    .trim().startsWith("Live"), "live again", 30000);
	t.eq(await axe(p), []);
});

journey("keys_off_and_both_themes", async t => {
	const p = await login("viewer", "/me", { byHand: true });
	await p.keyboard.press("?");
	await p.getByRole("dialog", { name: "Keyboard" }).waitFor();
	t.eq(await axe(p), []);
	await p.keyboard.press("Escape");
	await p.getByRole("dialog").waitFor({ state: "detached" });
	await p.getByLabel("light").check();
	t.eq(await p.evaluate(() => document.documentElement.dataset.theme),
	    "light");
	await p.getByLabel("Single keys do something").uncheck();
	await p.locator("h1").click();
	await p.keyboard.press("?");
	await sleep(200);
	t.eq(await p.getByRole("dialog").count(), 0, "keys are off");
	await p.reload();
	await settled(p);
	t.eq(await p.evaluate(() => document.documentElement.dataset.theme),
	    "light");
	await p.keyboard.press("Control+k");
	await p.getByRole("combobox", { name: /Search/ }).waitFor();
	t.eq(await axe(p), [], "palette");
});

journey("one_who_logs_in_after_another_finds_nothing_of_them", async t => {
	expect("401");
	const c = await context();
	const a = await login("responder", "/p/default/incidents",
	    { context: c, byHand: true });
	const b = await page(c);
	await b.goto(ui.url + "/me");
	await b.locator(".top .me").waitFor();
	for (const p of [a, b])
		await p.evaluate(() => { window.before = true; });
	await a.getByRole("button", { name: "Log out" }).click();
	for (const p of [a, b]) {
		await p.waitForURL(/\/login/);
		await p.getByLabel("Password").waitFor();
		t.eq(await p.evaluate(() => window.before), undefined,
		    "the page began anew");
	}
	/* another in one tab while the first is still in the other */
	await login("responder", "/me", { context: c, byHand: true });
	await a.goto(ui.url + "/me");
	await a.getByText(ui.people.responder.email).first().waitFor();
	await login("viewer", "/me", { context: c, byHand: true });
	await until(async () => !(await a.content()).includes(
	    ui.people.responder.email), "the other tab is not the first's");
});

journey("what_is_sent_again_for_want_of_an_answer_is_done_once", async t => {
	expect("net::ERR", "Failed to load resource");
	const p = await login("responder", "/p/default/declare",
	    { ignoreHTTPSErrors: true });
	let lost = 0;
	await p.route("**/v1/projects/default/incidents", async r => {
		if (r.request().method() === "POST" && lost++ === 0) {
			await r.fetch();
			await r.abort();
		} else {
			await r.continue();
		}
	});
	await p.locator(".declare-card [name=title]").fill("declared but once");
	await p.keyboard.press("Enter");
	await until(() => lost === 1, "sent");
	await p.getByRole("alert").first().waitFor();
	await p.locator(".declare-card [name=title]").press("Enter");
	await p.waitForURL(/\/i\/\d+/);
	const all = (await api("GET", "/v1/projects/default/incidents?" +
	    "q=declared%20but%20once")).json.items;
	t.eq(all.length, 1);
});

journey("events_faster_than_answers_let_answers_arrive", async t => {
	const path = "/v1/projects/default/incidents";
	const { id } = (await api("POST", path, { title: "slow and steady",
		severity: "sev4" })).json;
	const p = await login("viewer", "/p/default/incidents");
	await p.getByText("slow and steady").first().waitFor();
	await p.route("**/incidents?*", async r => {
		await sleep(1500);
		await r.continue().catch(() => undefined);
	});
	let on = true, n = 0;
	const storm = (async () => {
		while (on)
			await api("PATCH", `${path}/${id}`,
			    { title: `steady ${++n}` }).then(() => sleep(100));
	})();
	try {
		await p.getByText(/^(INC-\d+ )?steady \d+$/).first()
		    .waitFor({ timeout: 12000 });
	} finally {
		on = false;
		await storm;
	}
	t.check(n > 10, `${n} changes`);
});

await run();
