/* admin.mjs: the administration, the evidence, and why one may not. */
import { api, axe, expect, goto, journey, login, run, settled, sleep, ui,
	until } from "./kit.mjs";

journey("bad_input_is_shown_at_its_field", async t => {
	expect("400");
	const p = await login("org_admin", "/admin/users");
	await p.getByRole("button", { name: "Add a user" }).click();
	const d = p.getByRole("dialog");
	await d.getByLabel("E-mail address").fill("no address");
	await d.getByRole("button", { name: "Create" }).click();
	const field = d.getByLabel("E-mail address");
	await until(async () => await field.getAttribute("aria-invalid") ===
	    "true", "the field is marked");
	const hint = await field.getAttribute("aria-describedby");
	t.check((await p.locator(`[id="${hint}"]`).innerText()).length > 3,
	    "what is wrong");
	t.check(await field.evaluate(e => e === document.activeElement),
	    "it has the focus");
	t.eq(await axe(p), []);
	await field.fill("new.person@example.com");
	await d.getByRole("button", { name: "Create" }).click();
	await p.getByRole("link", { name: "new.person@example.com" }).waitFor();
});

journey("a_stale_edit_is_merged_not_lost", async t => {
	expect("412");
	const u = (await api("POST", "/v1/users", { email: "m@example.com",
		name: "Before" })).json;
	const p = await login("org_admin", "/admin/users");
	await p.getByRole("button", { name: "Change m@example.com" }).click();
	const d = p.getByRole("dialog", { name: "Change m@example.com" });
	await d.getByLabel("Name").fill("Mine");
	const one = await api("GET", `/v1/users/${u.id}`);
	await api("PATCH", `/v1/users/${u.id}`, { name: "Theirs",
		break_glass: true }, { "if-match": one.etag });
	await d.getByRole("button", { name: "Save" }).click();
	const m = p.getByRole("dialog", { name: "Changed meanwhile" });
	await m.waitFor();
	t.eq(await axe(p), []);
	const row = m.getByRole("row", { name: /Name/ });
	t.check((await row.innerText()).includes("Theirs"), "theirs is shown");
	await m.getByRole("button", { name: "Save this" }).click();
	await m.waitFor({ state: "detached" });
	const after = (await api("GET", `/v1/users/${u.id}`)).json;
	t.eq([after.name, after.break_glass], ["Mine", true],
	    "mine, and what only they changed");
});

journey("somebody_is_disabled_where_they_are_anonymized", async t => {
	const u = (await api("POST", "/v1/users", { email: "go@example.com",
		name: "Going" })).json;
	const p = await login("org_admin", "/admin/users/" + u.id);
	const end = p.getByRole("button", { name: "Anonymize" });
	t.eq(await end.getAttribute("aria-disabled"), "true");
	await p.getByRole("button", { name: "Edit" }).click();
	const d = p.getByRole("dialog", { name: "Change go@example.com" });
	await d.getByLabel("Disabled").check();
	await d.getByRole("button", { name: "Save" }).click();
	await p.locator("main .pill", { hasText: "disabled" }).waitFor();
	t.eq(await end.getAttribute("aria-disabled"), null);
	await p.getByRole("main").getByRole("link", { name: "Users" }).click();
	await p.getByRole("link", { name: "go@example.com" }).waitFor();
});

/* names that every object of JavaScript has, too, are no words of ours */
journey("a_role_is_called_as_it_is", async t => {
	await api("POST", "/v1/roles", { name: "constructor",
		permissions: ["incident.view"] });
	const p = await login("org_admin", "/admin/roles");
	for (const name of ["constructor", "Organization administrator"])
		await p.getByRole("heading", { name, exact: true }).waitFor();
	t.eq(await p.getByRole("heading", { name: "org_admin" }).count(), 0);
});

journey("what_is_locked_says_why", async t => {
	const p = await login("auditor", "/admin/users");
	const b = p.getByRole("button", { name: "Add a user" });
	t.eq(await b.getAttribute("aria-disabled"), "true");
	await b.focus();
	await p.keyboard.press("Enter");
	const d = p.getByRole("dialog", { name: "Why can I not?" });
	await d.getByText("Not allowed", { exact: true }).waitFor();
	const said = await d.innerText();
	t.check(said.includes("user.edit"), said);
	t.eq(await axe(p), []);
	await p.keyboard.press("Escape");
	await d.waitFor({ state: "detached" });
	t.check(await b.evaluate(e => e === document.activeElement),
	    "the focus is back");
});

journey("a_token_is_made_used_and_narrowed", async t => {
	const p = await login("org_admin", "/admin/tokens");
	await p.getByRole("button", { name: "Add a token" }).click();
	const d = p.getByRole("dialog", { name: "Add a token" });
	await d.getByLabel("Name").fill("robot");
	await d.getByRole("checkbox", { name: "incident", exact: true }).check();
	await d.getByRole("checkbox", { name: "alert", exact: true }).check();
	t.eq(await axe(p), []);
	await d.getByRole("button", { name: "Add a token" }).click();
	const told = p.getByRole("dialog", { name: "The token" });
	const token = await told.locator("code").innerText();
	await told.getByRole("button", { name: "I have kept it" }).click();
	t.eq((await api("GET", "/v1/projects/default/incidents", null,
	    { token })).status, 200);
	const row = p.getByRole("row", { name: /robot/ });
	const id = (await api("GET", "/v1/tokens?limit=200")).json.items
	    .find(x => x.name === "robot").id;
	await until(async () => (await api("GET", `/v1/tokens/${id}/usage`))
	    .json.used.length > 0, "use is on record");
	await row.getByRole("button", { name: "Narrow" }).click();
	const n = p.getByRole("dialog", { name: "Narrow robot" });
	await n.getByText("1 chosen").waitFor();
	t.eq(await axe(p), []);
	await n.getByRole("button", { name: "Narrow" }).click();
	await n.waitFor({ state: "detached" });
	t.eq((await api("GET", `/v1/tokens/${id}`)).json.scopes,
	    ["incident.view"]);
	t.check(!(await p.content()).includes(token), "it is shown again");
});

journey("a_late_answer_is_not_shown_under_another_filter", async t => {
	const p = await login("auditor", "/audit");
	await p.getByRole("grid").locator(".st-ok").first().waitFor();
	let asked = 0, late = 0;
	await p.route("**/v1/audit?*", async r => {
		const other = r.request().url().includes("outcome=denied");
		asked += other;
		if (!other) {
			await sleep(1500);
			late++;
		}
		await r.continue().catch(() => undefined);
	});
	await p.getByRole("button", { name: "Newer" }).click();
	await p.evaluate(() => {
		history.pushState(null, "", "/audit?outcome=denied");
		dispatchEvent(new PopStateEvent("popstate"));
	});
	await until(() => late > 0, "the old answer");
	await sleep(700);
	t.check(asked > 0, "the new question was asked");
	t.eq(await p.getByRole("grid").locator(".st-ok").count(), 0);
	await p.unrouteAll({ behavior: "ignoreErrors" });
});

journey("an_entry_is_proved_and_a_lie_is_not", async t => {
	expect("404");	/* the newest may not be signed yet: asked again */
	const p = await login("auditor", "/audit");
	await p.getByRole("grid").waitFor();
	await p.keyboard.press("j");
	await until(() => p.evaluate(() =>
	    document.activeElement?.getAttribute("role") === "row"), "a row");
	await p.keyboard.press("Enter");
	await p.waitForURL(/\/audit\/\d+/);
	await p.getByRole("button", { name: "Check now" }).click();
	await p.getByText(/It is in the signed log of/)
	    .waitFor({ timeout: 30000 });
	t.eq(await axe(p), []);
	/* a server that shows another entry than the one it signed */
	await p.route("**/v1/audit/5", async r => {
		const o = (await api("GET", "/v1/audit/5")).json;
		o.leaf = o.leaf.replace('"v":1', '"v":2');
		await r.fulfill({ status: 200, json: o });
	});
	await goto(p, "/audit/5");
	await p.getByRole("button", { name: "Check now" }).click();
	await p.getByText("Entry 5 is NOT proved.").waitFor();
	t.check((await p.getByRole("alert").innerText()).includes("hashes"),
	    "why");
	/* the signed bytes, with other facts round them */
	await p.route("**/v1/audit/6", async r => {
		const o = (await api("GET", "/v1/audit/6")).json;
		o.outcome = o.outcome === "ok" ? "denied" : "ok";
		await r.fulfill({ status: 200, json: o });
	});
	await goto(p, "/audit/6");
	await p.getByRole("button", { name: "Check now" }).click();
	await p.getByText("Entry 6 is NOT proved.").waitFor();
	t.check((await p.getByRole("alert").innerText()).includes("facts"),
	    "why");
	/* and one that has set itself back */
	await p.evaluate(() => {
		const k = JSON.parse(localStorage.getItem("redoubt-log"));
		localStorage.setItem("redoubt-log", JSON.stringify({ ...k,
			size: String(BigInt(k.size) + 1000n) }));
	});
	await goto(p, "/audit/4");
	await p.getByRole("button", { name: "Check now" }).click();
	await p.getByText("Entry 4 is NOT proved.").waitFor();
});

journey("an_export_is_made_and_checked_here", async t => {
	const p = await login("auditor", "/audit");
	await p.getByRole("button", { name: "Export" }).click();
	const d = p.getByRole("dialog", { name: "Export" });
	await d.getByLabel("Reason").fill("a review");
	const [file] = await Promise.all([p.waitForEvent("download"),
	    d.getByRole("button", { name: "Export" }).click()]);
	const path = await file.path();
	await goto(p, "/audit/verify");
	const input = p.getByLabel("Choose a file", { exact: true })
	    .and(p.locator("input"));
	await input.setInputFiles(path);
	await p.getByText(/^Good: \d+ entries/).waitFor();
	t.eq(await axe(p), []);
	const { readFileSync } = await import("node:fs");
	const bytes = readFileSync(path);
	bytes[bytes.indexOf('"action":"') + 12] ^= 1;
	await input.setInputFiles({ name: "x.ndjson", buffer: bytes,
		mimeType: "application/x-ndjson" });
	await p.getByText(/^Bad at entry/).waitFor();
});

journey("a_role_is_given_with_a_look_before", async t => {
	await api("POST", "/v1/users", { email: "look@example.com",
		name: "Lookout" });
	const p = await login("org_admin", "/admin/bindings");
	await p.getByRole("button", { name: "Give a role" }).click();
	const d = p.getByRole("dialog", { name: "Give a role" });
	await d.getByLabel("Who").selectOption({ label: "Lookout (user)" });
	await d.getByLabel("Role").selectOption("responder");
	await d.getByLabel("Where").selectOption("default");
	await d.getByRole("button", { name: "What would change?" }).click();
	await d.getByText(/\d+ more rights/).waitFor();
	t.eq(await axe(p), []);
	await d.getByRole("button", { name: "Give a role" }).click();
	await d.waitFor({ state: "detached" });
	await p.getByRole("row", { name: /Lookout/ }).waitFor();
	await settled(p);
});

journey("a_hold_needs_a_reason", async t => {
	expect("400");
	const p = await login("org_admin", "/holds");
	await p.getByRole("button", { name: "Add a hold" }).click();
	const d = p.getByRole("dialog", { name: "Add a hold" });
	await d.getByLabel("Name").fill("matter");
	await d.getByRole("button", { name: "Create" }).click();
	await until(async () => await d.getByLabel("Reason").getAttribute(
	    "aria-invalid") === "true", "at the field");
	await d.getByLabel("Reason").fill("a letter");
	await d.getByRole("button", { name: "Create" }).click();
	await p.getByRole("row", { name: /matter/ }).waitFor();
});

journey("freeze_is_seen_by_everybody", async t => {
	const v = await login("viewer", "/p/default/incidents");
	const p = await login("org_admin", "/admin/freeze");
	await p.getByRole("button", { name: "Freeze now" }).first().click();
	const d = p.getByRole("dialog");
	await d.getByLabel("Reason").fill("somebody is inside");
	await d.getByRole("button", { name: "Freeze now" }).click();
	await p.getByText("All automation is frozen.").waitFor();
	await v.getByText("All automation is frozen.").waitFor();
	t.eq(await axe(p), []);
	await p.getByRole("button", { name: "Let it go on" }).click();
	await p.getByRole("dialog").getByRole("button",
	    { name: "Let it go on" }).click();
	await v.getByText("All automation is frozen.")
	    .waitFor({ state: "detached" });
});

/* the last one: afterwards there is no server to speak of */
journey("sealed_is_said", async t => {
	expect("503", "Failed to load resource", "net::ERR");
	const p = await login("org_admin", "/keys");
	await p.getByRole("button", { name: "Seal the server" }).click();
	const d = p.getByRole("dialog", { name: "Seal the server" });
	await d.getByLabel("Reason").fill("a drill");
	await d.getByLabel("Type seal to go on").fill("seal");
	await d.getByRole("button", { name: "Seal the server" }).click();
	await p.getByRole("heading", { name: "The server is sealed" })
	    .waitFor({ timeout: 30000 });
	await p.goto(ui.url + "/p/default/incidents");
	await p.getByRole("heading", { name: "The server is sealed" }).waitFor();
	t.eq(await axe(p), []);
});

await run();
