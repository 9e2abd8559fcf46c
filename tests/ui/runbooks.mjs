/* runbooks.mjs: journeys of whoever writes, approves and runs runbooks;
 * started by t_runbooks.py. */
import { api, axe, expect, goto, journey, login, overflow, run, settled, shot,
	sleep, ui, until } from "./kit.mjs";

const P = "/p/default", V = "/v1/projects/default";
const editor = p => p.locator(".runbooks-code .cm-content");
const yamlText = p => p.evaluate(() => document.querySelector(".runbooks-code")
    .shadowRoot.querySelector(".cm-content").innerText);
/* All of the text, as if it were typed over. */
async function typeYaml(p, text) {
	await editor(p).click();
	await p.keyboard.press("Control+a");
	await p.keyboard.insertText(text);
}
const label = (p, l) => p.getByLabel(l, { exact: true });
const add = async (p, kind) => {
	await p.locator(".runbooks-edit").getByLabel("A step of kind").last()
	    .selectOption(kind);
	await p.getByRole("button", { name: "Add step" }).last().click();
};
const problems = async p => (await p.locator(".runbooks-problems li")
    .allTextContents()).join("; ");

journey("author_writes_other_approves_author_publishes_responder_runs",
    async t => {
	expect(400, 403);
	const p = await login("automation_author", P + "/runbooks");
	await p.getByRole("button", { name: "Add a runbook" }).click();
	await p.waitForURL("**/new-runbook");
	await settled(p);
	await p.locator("input[name='/slug']").fill("restart-queue");
	await p.locator("input[name='/name']").fill("Restart the queue");
	await add(p, "manual");
	await p.locator("textarea[name='/steps/0/instructions']")
	    .fill("Look at the queue: no, really");
	await add(p, "approval");
	await p.locator("textarea[name='/steps/1/message']").fill("Restart?");
	await editor(p).waitFor();
	const y = await until(async () => {
		const s = await yamlText(p);
		return s.includes("Restart?") && s;
	}, "the form is in the YAML");
	t.check(y.includes("slug: restart-queue") && y.includes("kind: manual"),
	    "the form, as YAML");
	/* what the text says, the form shows */
	await typeYaml(p, `slug: restart-queue
name: Restart the queue
context: any
inputs:
  - {name: host, type: string, required: true}
steps:
  - id: look
    kind: manual
    instructions: Look at the queue
  - id: sure
    kind: approval
    message: Restart?
    count: 9
    expires_s: 600
`);
	await until(async () => await p.locator(
	    "input[name='/steps/1/count']").inputValue() === "9",
	    "the YAML is in the form");
	/* a mistake of YAML: where it is, and no saving */
	await typeYaml(p, (await yamlText(p)).replace("kind: manual",
	    "kind: &a manual"));
	await until(async () => /Line \d+: Anchors/.test(await problems(p)),
	    "an anchor is told");
	t.check(await p.getByRole("button", { name: "Save" })
	    .getAttribute("aria-disabled") === "true", "no saving of that");
	await typeYaml(p, (await yamlText(p)).replace("&a ", ""));
	/* a mistake the server finds: at the field and in the line */
	await p.getByRole("button", { name: "Save" }).click();
	await p.locator("input[name='/steps/1/count'][aria-invalid=true]")
	    .waitFor();
	const line = (await yamlText(p)).split("\n")
	    .findIndex(l => l.includes("count:")) + 1;
	t.check((await problems(p)).includes(`Line ${line}:`),
	    "and in the line: " + await problems(p));
	t.eq(await axe(p), [], "axe, with mistakes");
	await shot(p, "runbook-edit-wrong");
	await p.locator("input[name='/steps/1/count']").fill("1");
	await p.getByRole("button", { name: "Save" }).click();
	await p.waitForURL("**/runbooks/restart-queue?version=1");
	await settled(p);
	const approve = p.getByRole("button", { name: "Approve" });
	t.check(await approve.getAttribute("aria-disabled") === "true",
	    "one's own is not for oneself");

	const q = await login("approver", P + "/runbooks/restart-queue");
	await q.getByRole("button", { name: "Approve" }).click();
	await q.locator(".pill.st-approved").first().waitFor();
	await shot(q, "runbook-approved");

	await p.getByRole("button", { name: "Publish" }).click();
	await p.locator(".pill.st-published").first().waitFor();

	const r = await login("responder", P + "/runbooks/restart-queue");
	await r.getByRole("button", { name: "Show what would happen" }).click();
	await r.locator(".form .field.bad, .runbooks-edit, .form .wrong").first()
	    .waitFor();
	t.check((await r.locator(".form .wrong").first().textContent()) !== "",
	    "a plan without its input says so");
	await r.locator("input[name='inputs.host']").fill("mq-1");
	await r.getByRole("button", { name: "Show what would happen" }).click();
	await r.locator("[aria-label='Dry run'] .runbooks-step").first().waitFor();
	await r.getByRole("button", { name: "Run", exact: true }).click();
	await r.locator("dialog input[name='inputs.host']").fill("mq-1");
	await r.locator("dialog button[type=submit]").click();
	await r.waitForURL("**/runs/*");
	await settled(r);
	await r.locator(".runs-waits textarea").fill("it is stuck");
	await r.getByRole("button", { name: "It is done" }).click();
	await r.getByText("“sure” waits for approval").waitFor();
	t.eq(await r.locator(".runs-step .pill:first-child")
	    .allInnerTexts().then(s => [...new Set(s)]),
	["succeeded", "waits for approval"], "where it stands");
	/* four eyes: not who runs it */
	t.check((await r.locator(".runs-waits").textContent())
	    .includes("Four eyes"), "why not by whoever runs it");
	const url = new URL(r.url()).pathname;
	await goto(q, url);
	await q.locator(".runs-waits textarea").fill("go");
	await q.getByRole("button", { name: "Approve" }).click();
	await r.locator(".facts .st-succeeded").waitFor();
	t.check((await r.locator(".runs-steps").textContent())
	    .includes("approved"), "who approved is told");
	t.eq(await axe(r), [], "axe, of a run");
	await shot(r, "run-over");
});

journey("builder_by_keyboard_and_what_it_asks_before_it_is_left", async t => {
	const p = await login("automation_author", P + "/runbooks/sweep-disk");
	await p.getByRole("button", { name: "Edit" }).click();
	await p.getByRole("button", { name: "Form" }).click();
	await p.locator(".runbooks-card").first().waitFor();
	await add(p, "wait");
	await add(p, "condition");
	t.eq(await p.locator(".runbooks-card .runbooks-head strong")
	    .allTextContents(), ["1. look", "2. wait", "3. condition"], "added");
	await p.locator("[id='step/steps/2']").focus();
	await p.keyboard.press("Alt+ArrowUp");
	await until(async () => (await p.locator(".runbooks-head strong")
	    .allTextContents())[1] === "2. condition", "Alt+Up moves it");
	t.eq(await p.evaluate(() => document.activeElement.id), "step/steps/1",
	    "the focus moves with it");
	t.eq(await axe(p), [], "axe");
	await shot(p, "runbook-edit-form");
	await p.keyboard.press("g");
	await p.keyboard.press("u");
	await p.getByText("Leave without saving?").waitFor();
	await p.keyboard.press("Escape");
	t.check(p.url().includes("/edit"), "one stays");
	await p.goBack().catch(() => undefined);
	await p.getByText("Leave without saving?").waitFor();
	await p.keyboard.press("Escape");
	t.check(p.url().includes("/edit"), "one stays, though one went back");
	await p.locator("a[href$='/runs']").first().click();
	await p.getByRole("button", { name: "Leave" }).click();
	await p.waitForURL("**/runs");
});

journey("two_write_at_once", async t => {
	expect(412);
	const p = await login("automation_author",
	    P + "/runbooks/sweep-disk/edit?view=form");
	await p.locator("input[name='/name']").fill("Mine");
	const b = await api("GET", V + "/runbooks/sweep-disk");
	const v = await api("GET", V + "/runbooks/sweep-disk/versions/1");
	const r = await api("POST", V + "/runbooks/sweep-disk/versions",
	    { document: { ...v.json.document, name: "Theirs" } },
	    { "if-match": b.etag });
	t.eq(r.status, 201, "somebody else was quicker");
	await p.getByRole("button", { name: "Save" }).click();
	await p.locator(".runbooks-diff .came", { hasText: "Mine" }).waitFor();
	t.check(await p.locator(".runbooks-diff .went", { hasText: "Theirs" })
	    .count() === 1, "the difference is shown");
	await p.getByRole("button", { name: "Save mine as version 3" }).click();
	await p.waitForURL("**/sweep-disk?version=3");
	const last = await api("GET", V + "/runbooks/sweep-disk/versions/3");
	t.eq(last.json.document.name, "Mine", "both are kept, as versions");
	await p.locator("label.facet", { hasText: /^to/ }).locator("select")
	    .selectOption("2");
	await p.locator(".runbooks-diff .came", { hasText: "Theirs" }).waitFor();
	await shot(p, "runbook-versions");
});

journey("triggers_by_the_clock_and_by_what_happens", async t => {
	expect(400);
	const p = await login("project_admin", P + "/triggers");
	await p.getByText("Nothing starts by itself.").waitFor();
	await p.getByRole("button", { name: "Add a trigger" }).click();
	const d = p.locator("dialog");
	await d.locator("input[name='/name']").fill("nightly");
	await d.locator("select[name='/runbook']").selectOption("sweep-disk");
	await d.locator("[name='/service_account']").fill(ui.account).catch(() =>
	    d.locator("select[name='/service_account']")
		.selectOption(ui.account));
	await d.locator("select[name='/on']").selectOption("schedule");
	await d.locator("input[name='/cron']").fill("0 3 * *");
	await d.getByRole("button", { name: "Create" }).click();
	await d.locator("input[name='/cron'][aria-invalid=true]").waitFor();
	await d.locator("input[name='/cron']").fill("30 3 * * *");
	await d.locator("select[name='/time_zone']")
	    .selectOption("Europe/Berlin");
	t.eq(await axe(p), [], "axe, of the form");
	await d.getByRole("button", { name: "Create" }).click();
	await p.locator(".triggers-next li").first().waitFor();
	t.eq(await p.locator(".triggers-next li").count(), 5,
	    "when it is due next");
	await p.getByRole("button", { name: "Turn off" }).click();
	await p.getByRole("button", { name: "Turn on" }).waitFor();
	t.eq((await api("GET", V + "/triggers")).json.items[0].enabled, false,
	    "it is off");
	await p.getByRole("button", { name: "Change nightly" }).click();
	await d.locator("select[name='/on']").selectOption("incident_updated");
	await d.getByRole("button", { name: "Add: Only if" }).click();
	await d.locator(".runbooks-cond input").first().fill("severity");
	await d.locator(".runbooks-cond input").nth(1).fill("sev1");
	await d.getByRole("button", { name: "Save" }).click();
	await until(async () => (await api("GET", V + "/triggers")).json.items[0]
	    .on === "incident_updated", "it is another");
	t.eq((await api("GET", V + "/triggers")).json.items[0].when,
	    { eq: [{ incident: "severity" }, "sev1"] }, "its condition");
	await p.getByText("incident severity").waitFor();
	await shot(p, "triggers");
});

journey("narrow_and_light", async t => {
	const p = await login("automation_author", P + "/runbooks", {
		viewport: { width: 390, height: 844 }, colorScheme: "light" });
	for (const path of ["/runbooks", "/runbooks/sweep-disk",
	    "/runbooks/sweep-disk/edit", "/runbooks/sweep-disk/edit?view=yaml",
	    "/runs", "/triggers"]) {
		await goto(p, P + path);
		await sleep(300);
		t.eq(await overflow(p), 0, path + " is wider than the window");
		t.eq(await axe(p), [], "axe " + path);
		await shot(p, "narrow" + path.replace(/[^a-z]+/g, "-"));
	}
});

await run();
