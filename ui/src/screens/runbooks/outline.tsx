/* outline.tsx: a document, to be read: what is done, with what, by whom. */
import type { ComponentChildren } from "preact";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say, word } from "../../text/index.ts";
import { condText, valueText } from "./model.ts";
import { innerLists, isObj, listOf, objOf, textOf, type Json, type Obj }
    from "./tree.ts";

const t = T.runbooks;

const Line = ({ label, children }: { label: string;
    children: ComponentChildren }) =>
	<p class="runbooks-line"><span class="dim">{label}</span>
		<span>{children}</span></p>;
const values = (o: Json | undefined): string => Object.entries(objOf(o))
    .map(([k, v]) => `${k} = ${valueText(v)}`).join(", ");
const names = (l: Json | undefined): string => listOf(l).map(x =>
    isObj(x) ? `${textOf(x["name"])}: ${textOf(x["type"])}` : textOf(x))
    .join(", ");

function What({ s }: { s: Obj }) {
	switch (s["kind"]) {
	case "script": return <>
		<details class="runbooks-data"><summary>{say(t.scriptFor,
		    { name: textOf(s["interpreter"]) })}</summary>
			<pre class="mono"><Plain text={textOf(s["script"])} /></pre>
		</details>
		{listOf(s["args"]).length > 0 && <Line label={t.args}>
			<code><Plain text={listOf(s["args"]).map(valueText)
			    .join(" ")} /></code></Line>}
		{s["env"] !== undefined && <Line label={t.env}>
			<code><Plain text={values(s["env"])} /></code></Line>}</>;
	case "http": return <>
		<Line label={t.action}><code><Plain text={textOf(s["connector"]) +
		    " " + textOf(s["action"])} /></code></Line>
		{s["params"] !== undefined && <Line label={t.params}>
			<code><Plain text={values(s["params"])} /></code></Line>}</>;
	case "manual": return <p class="runbooks-text">
		<Plain text={textOf(s["instructions"])} /></p>;
	case "approval": return <><p class="runbooks-text">
		<Plain text={textOf(s["message"])} /></p>
		<Line label={t.approvals}>{say(t.askFor, {
		    n: textOf(s["count"]), s: textOf(s["expires_s"]) })}</Line></>;
	case "incident": return <>
		{s["set"] !== undefined && <Line label={t.set}>
			<code><Plain text={values(s["set"])} /></code></Line>}
		{s["timeline"] !== undefined && <Line label={t.timeline}>
			<Plain text={valueText(s["timeline"])} /></Line>}
		{s["transition"] !== undefined && <Line label={t.transition}>
			{word(T.status, textOf(s["transition"]))}</Line>}</>;
	case "wait": return <p>{say(t.waitFor, { n: textOf(s["seconds"]) })}</p>;
	case "condition": return <Line label={t.when}>
		<code><Plain text={condText(s["when"])} /></code></Line>;
	default: return null;
	}
}

function Step({ s, at }: { s: Obj; at: readonly (string | number)[] }) {
	const people = s["assignee"] !== undefined ? [s["assignee"]] :
	    listOf(s["approvers"]);
	return <li class="runbooks-step">
		<p class="row"><strong><Plain text={textOf(s["name"] ?? s["id"])} />
			</strong><span class="pill">{word(t.kinds,
			    textOf(s["kind"]))}</span>{s["name"] !== undefined &&
			    <code>{textOf(s["id"])}</code>}</p>
		{s["if"] !== undefined && <Line label={t.if}>
			<code><Plain text={condText(s["if"])} /></code></Line>}
		<What s={s} />
		{people.length > 0 && <Line label={t.people}>{people.map(objOf)
		    .map(x => <Person key={textOf(x["id"])} id={textOf(x["id"])}
			kind={textOf(x["kind"])} />)}</Line>}
		{listOf(s["secrets"]).length > 0 && <Line label={t.secrets}>
			<code><Plain text={names(s["secrets"])} /></code></Line>}
		{listOf(s["connectors"]).length > 0 && <Line label={t.connectors}>
			<code><Plain text={names(s["connectors"])} /></code></Line>}
		{s["delegates"] !== undefined && <Line label={t.delegates}>
			<code><Plain text={values(objOf(s["delegates"])["labels"])} />
			</code></Line>}
		{listOf(s["outputs"]).length > 0 && <Line label={t.outputs}>
			<code><Plain text={names(s["outputs"])} /></code></Line>}
		{s["on_failure"] !== undefined && <Line label={t.onFailure}>
			{word(t.failures, textOf(s["on_failure"]))}</Line>}
		{innerLists(s, at).map(l => {
			const own = l.what === "branch" ?
			    listOf(s["branches"])[l.n - 1] : s[l.what];
			return listOf(own).length === 0 ? null :
			    <div key={l.what + l.n} class="runbooks-inner">
				<p class="dim small">{say(t.inner[l.what], { n: l.n })}</p>
				<Steps list={listOf(own)} at={l.place} /></div>;
		})}
	</li>;
}
export const Steps = ({ list, at }: { list: Json[];
    at: readonly (string | number)[] }) => <ol class="runbooks-steps">
	{list.map((s, i) => <Step key={i} s={objOf(s)} at={[...at, i]} />)}</ol>;

export function Outline({ doc }: { doc: Obj }) {
	const inputs = listOf(doc["inputs"]).map(objOf);
	return <div class="stack">
		{doc["description"] !== undefined && <p class="runbooks-text">
			<Plain text={textOf(doc["description"])} /></p>}
		{inputs.length > 0 && <section><h2>{t.inputs}</h2>
			<div class="scroll" tabIndex={0}><table><thead><tr>
				<th scope="col">{t.name}</th><th scope="col">{t.type}</th>
				<th scope="col">{t.default}</th>
				<th scope="col" class="wide">{t.description}</th>
			</tr></thead><tbody>{inputs.map((n, i) => <tr key={i}>
				<td><code>{textOf(n["name"])}</code></td>
				<td>{textOf(n["type"])}{n["required"] === true &&
				    ", " + t.required}</td>
				<td>{n["default"] === undefined ? "–" :
				    <code><Plain text={valueText(n["default"])} /></code>}
				</td>
				<td class="wide"><Plain text={textOf(n["description"])} />
				</td></tr>)}</tbody></table></div></section>}
		<section><h2>{t.steps}</h2>
			<Steps list={listOf(doc["steps"])} at={["steps"]} /></section>
		{listOf(doc["outputs"]).length > 0 && <section><h2>{t.outputs}</h2>
			<ul>{listOf(doc["outputs"]).map(objOf).map((o, i) =>
				<li key={i}><code>{textOf(o["name"])}</code>{": "}
				<code><Plain text={valueText(o["value"])} /></code></li>)}
			</ul></section>}
	</div>;
}
