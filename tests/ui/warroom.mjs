/* warroom.mjs: what journeys through incidents share. */
import { api, context, login, page, settled, ui } from "./kit.mjs";

export const P = `/v1/projects/${ui.project}`;
export const at = p => `/p/${ui.project}${p}`;

export async function incident(title, more = {}) {
	const r = await api("POST", P + "/incidents", { title, ...more });
	if (r.status !== 201)
		throw new Error(r.text);
	return r.json;
}
export const note = (i, text, more = {}) => api("POST",
    `${P}/incidents/${i.number}/timeline`, { text, ...more });
export const entries = async i => (await api("GET",
    `${P}/incidents/${i.number}/timeline?limit=200`)).json.items;

/* Somebody logs in once; then their cookie goes along. */
const sessions = new Map();
export async function as(who, path, more = {}) {
	if (!sessions.has(who)) {
		const p = await login(who, "/me");
		sessions.set(who, await p.context().storageState());
		await p.context().close();
	}
	const p = await page(await context({ ...more,
		storageState: sessions.get(who) }));
	await p.goto(ui.url + path);
	return p;
}
export const end = p => p.context().close();

/* ---- the war room ---- */

export const entry = (p, text) =>
	p.locator(".room-entry", { hasText: text });
export const inRoom = p =>
	p.waitForSelector(".room-scroll .room-entry, .room-none");
export async function room(who, i, more) {
	const p = await as(who, at("/i/" + i.number), more);
	await inRoom(p);
	await settled(p);
	return p;
}
export async function write(p, text, key = "Control+Enter") {
	await p.keyboard.press("Escape");
	await p.keyboard.press("n");
	await p.keyboard.type(text);
	await p.keyboard.press(key);
}
/* A command, past what is suggested. */
export async function command(p, text) {
	await p.locator(".room-composer textarea").fill(text);
	await p.keyboard.press("Control+Enter");
	await p.waitForFunction(() => document.querySelector(
	    ".room-composer textarea").value === "" ||
	    document.querySelector(".room-composer .wrong"));
}
export const composerWrong = p =>
	p.locator(".room-composer .wrong").textContent();
export const draft = p =>
	p.locator(".room-composer textarea").inputValue();
