/* plan.tsx: a dry run: what each step would be given, and where it would
 * run; and the real one. */
import { useState } from "preact/hooks";
import { at, post } from "../../core/api.ts";
import { go } from "../../app/router.ts";
import { Dialog } from "../../kit/dialog.tsx";
import { FormBox, Submit, TextField, useForm } from "../../kit/form.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, say, word } from "../../text/index.ts";
import { Inputs, given, inputsOf, startOf } from "./inputs.tsx";
import { valueText, type Version } from "./model.ts";
import { isObj, listOf, objOf, textOf, type Json, type Obj } from "./tree.ts";

const t = T.runbooks;

function Holds({ label, v }: { label: string; v: Json | undefined }) {
	return v === undefined ? null : <p class="small"><span class="dim">
		{label} </span>{v === null ? t.runTells : v ? t.holds : t.holdsNot}
	</p>;
}

function PlanStep({ s }: { s: Obj }) {
	const named = (k: string) => isObj(s[k]) && Object.keys(objOf(s[k]))
	    .length > 0 && <dl class="facts small">{Object.entries(objOf(s[k]))
		.map(([n, v]) => <div key={n}><dt class="mono">{n}</dt>
		<dd class="mono"><Plain text={valueText(v)} /></dd></div>)}</dl>;
	const where = listOf(s["delegates"]).map(objOf);
	return <li class="runbooks-step">
		<p class="row"><strong>{textOf(s["id"])}</strong>
			<span class="pill">{word(t.kinds, textOf(s["kind"]))}</span>
			{s["undo"] === true && <span class="pill">{T.runs.undoes}</span>}
		</p>
		<Holds label={t.if} v={s["if"]} />
		<Holds label={t.when} v={s["when"]} />
		{listOf(s["args"]).length > 0 && <p class="mono small">
			{textOf(s["interpreter"])}{" "}<Plain text={listOf(s["args"])
			    .map(valueText).join(" ")} /></p>}
		{named("env")}{named("params")}{named("set")}
		{listOf(s["secrets"]).map(objOf).map(x => <p key={textOf(x["name"])}
		    class={x["exists"] === true ? "small" : "small wrong"}>
			{say(x["exists"] === true ? t.usesSecret : t.lacksSecret,
			    { name: textOf(x["name"]) })}</p>)}
		{listOf(s["connectors"]).map(objOf).map(x => <p
		    key={textOf(x["slug"])} class={x["usable"] === true ? "small" :
			"small wrong"}>{say(x["usable"] === true ? t.usesConnector :
			t.lacksConnector, { name: textOf(x["slug"]),
			    why: textOf(x["why"]) })}</p>)}
		{s["delegates"] !== undefined && <p class={where.length > 0 ?
		    "small" : "small wrong"}>{where.length === 0 ? t.nowhere :
			say(t.wouldRunOn, { names: where.map(d =>
			    textOf(d["name"])).join(", ") })}</p>}
	</li>;
}

export function Plan({ project, slug, v }: { project: string; slug: string;
    v: Version }) {
	const [plan, show] = useState<Obj | null>(null);
	const form = useForm(startOf(v.document), async x => {
		show(null);
		show((await post<Obj>(at`/v1/projects/${project}/runbooks/${slug
		    }/versions/${v.version}/plan`,
		    { inputs: given(v.document, x) })).data);
	});
	return <div class="stack">
		<p class="dim small">{say(t.planHint, { n: v.version })}</p>
		<FormBox form={form} label={t.plan}>
			<Inputs doc={v.document} form={form} />
			<div class="actions"><Submit form={form}>{t.planGo}</Submit>
			</div></FormBox>
		{plan && <ol class="runbooks-steps" aria-label={t.plan}>
			{listOf(plan["steps"]).map((s, i) =>
				<PlanStep key={i} s={objOf(s)} />)}</ol>}
	</div>;
}

export function RunDialog({ project, slug, v, onClose }: { project: string;
    slug: string; v: Version; onClose: () => void }) {
	const withIncident = ["incident", "any"].includes(
	    textOf(v.document["context"]));
	const form = useForm<Record<string, string | boolean>>(
	    { ...startOf(v.document), incident: "" }, async x => {
		const r = await post<{ id: string }>(at`/v1/projects/${project
		    }/runbooks/${slug}/runs`, { inputs: given(v.document, x),
			...(x["incident"] && { incident: x["incident"] }) });
		toast(t.started);
		onClose();
		go(at`/p/${project}/runs/${r.data.id}`);
	});
	return <Dialog title={say(t.runOf, { n: v.version })} onClose={onClose}>
		<FormBox form={form}>
			{withIncident && <TextField form={form as never} name={"incident" as never}
			    label={t.forIncident} hint={t.forIncidentHint} />}
			<Inputs doc={v.document} form={form} />
			{inputsOf(v.document).length === 0 && <p class="dim">
				{t.noInputs}</p>}
			<div class="actions"><Submit form={form}>{t.run}</Submit></div>
		</FormBox></Dialog>;
}
