/* versions.tsx: what was said before and is said now, who agreed, and the
 * difference between any two. */
import { useState } from "preact/hooks";
import { at, get, post } from "../../core/api.ts";
import { me } from "../../core/session.ts";
import { useLoaded } from "../../core/use.ts";
import { Ago, Copy, Facts, Load } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Person } from "../../kit/person.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, say, word } from "../../text/index.ts";
import { around, diff } from "./diff.ts";
import type { Runbook, Version, VersionHead } from "./model.ts";

const t = T.runbooks;

/* Why I may not approve it. */
export function notMine(v: VersionHead): string | false {
	const id = me.value?.id;
	if (me.value?.kind !== "user")
		return t.personsOnly;
	if (v.author.id === id || v.uploader.id === id)
		return t.ownVersion;
	if (v.approvals.some(a => a.principal.id === id))
		return t.youApproved;
	return v.state !== "draft" && v.state !== "approved" ?
	    say(t.isState, { state: word(t.states, v.state) }) : false;
}

export function VersionCard({ b, v, project, etag, onDone }: { b: Runbook;
    v: Version; project: string; etag: string | null; onDone: () => void }) {
	const path = at`/v1/projects/${project}/runbooks/${b.slug}/versions/${
	    v.version}`;
	const off = notMine(v), n = v.approvals.length;
	return <section class="card stack"><div class="row">
		<h2>{say(t.versionN, { n: v.version })}</h2>
		<span class={`pill st-${v.state}`}>{word(t.states, v.state)}</span>
		</div>
		<Facts rows={[
			[t.author, <Person id={v.author.id} kind={v.author.kind} />],
			v.uploader.id !== v.author.id && [t.uploader,
			    <Person id={v.uploader.id} kind={v.uploader.kind} />],
			[t.made, <Ago at={v.created_at} />],
			v.published_at !== null && [t.publishedAt,
			    <Ago at={v.published_at} />],
			v.note !== "" && [t.note, <Plain text={v.note} />],
			[t.digest, <span class="row"><code>{v.digest.slice(0, 16)}…
				</code><Copy text={v.digest} label={t.copyDigest} />
			</span>],
			[t.approvals, <>{say(t.nOfM, { n, m: v.approvals_needed })}
				{v.approvals.map(a => <div key={a.seq} class="small">
					<Person id={a.principal.id} name={a.name} />{" "}
					<Ago at={a.at} />{" "}
					<a href={at`/audit/${a.seq}`}>#{a.seq}</a></div>)}</>],
		]} />
		{v.warnings.map((w, i) => <p key={i} class="wrong small">
			{w.no_secret !== undefined ? say(t.noSecret, { step: w.step,
			    name: w.no_secret }) : say(t.noConnector, { step: w.step,
			    name: w.no_connector ?? "" })}</p>)}
		<div class="actions">
			<Button icon="check" kind={off ? "plain" : "primary"} off={off}
			    perm="runbook.approve" project={project}
			    onClick={async () => {
				await post(path + "/approve", { digest: v.digest });
				toast(say(t.approvedN, { n: v.version }));
				onDone();
			    }}>{t.approve}</Button>
			<Button icon="play" perm="runbook.edit" project={project}
			    kind={v.state === "approved" ? "primary" : "plain"}
			    off={v.state === "published" && t.isPublished ||
				b.archived && t.archived || n < v.approvals_needed &&
				say(t.needsMore, { n, m: v.approvals_needed })}
			    onClick={async () => {
				await post(path + "/publish", undefined,
				    { ifMatch: etag });
				toast(say(t.publishedNow, { n: v.version }));
				onDone();
			    }}>{t.publish}</Button>
			{off && <span class="dim small">{off}</span>}
		</div>
	</section>;
}

export function Diff({ a, b }: { a: string; b: string }) {
	const lines = around(diff(a.split("\n"), b.split("\n")));
	if (lines.every(l => l === null))
		return <p class="dim">{t.sameText}</p>;
	return <pre class="runbooks-diff" tabIndex={0} aria-label={t.diff}>
		{lines.map((l, i) => l === null ?
			<div key={i} class="dim">⋯</div> :
			<div key={i} class={l[0] === "+" ? "came" : l[0] === "-" ?
			    "went" : ""}>{(l[0] === "=" ? " " : l[0]) + " "}
				<Plain text={l[1]} /></div>)}</pre>;
}

export function Compare({ project, slug, from, to }: { project: string;
    slug: string; from: number; to: number }) {
	const path = at`/v1/projects/${project}/runbooks/${slug}/versions/`;
	const two = useLoaded(async signal => {
		const [y, a, b] = await Promise.all([import("./yaml.ts"),
		    get<Version>(path + from, undefined, signal),
		    get<Version>(path + to, undefined, signal)]);
		return { data: [y.stringify(a.data.document),
		    y.stringify(b.data.document)] as const, etag: null, status: 200 };
	}, [path, from, to]);
	return <Load of={two}>{([a, b]) => <Diff a={a} b={b} />}</Load>;
}

export function Versions({ project, b, list }: { project: string; b: Runbook;
    list: VersionHead[] }) {
	const [from, setFrom] = useState(b.current ?? Math.max(1, b.latest - 1));
	const [to, setTo] = useState(b.latest);
	const pick = (label: string, v: number, set: (n: number) => void) =>
		<label class="facet">{label}<select value={String(v)}
		    onChange={e => set(Number(e.currentTarget.value))}>
			{list.map(x => <option key={x.version} value={x.version}>
				{x.version}</option>)}</select></label>;
	return <section class="card stack"><h2>{t.versions}</h2>
		<div class="scroll" tabIndex={0}><table><thead><tr>
			<th scope="col">{t.version}</th><th scope="col">{t.state}</th>
			<th scope="col" class="wide">{t.author}</th>
			<th scope="col" class="wide">{t.approvals}</th>
			<th scope="col">{t.made}</th>
			<th scope="col" class="wide">{t.note}</th>
		</tr></thead><tbody>{list.map(v => <tr key={v.version}>
			<td><a href={at`/p/${project}/runbooks/${b.slug}` +
			    `?version=${v.version}`}>{v.version}</a></td>
			<td><span class={`pill st-${v.state}`}>
				{word(t.states, v.state)}</span></td>
			<td class="wide"><Person id={v.author.id}
			    kind={v.author.kind} /></td>
			<td class="wide">{v.approvals.length} / {v.approvals_needed}</td>
			<td><Ago at={v.created_at} /></td>
			<td class="wide"><Plain text={v.note} /></td></tr>)}
		</tbody></table></div>
		{list.length > 1 && <><div class="row"><h3>{t.diff}</h3>
			{pick(t.from, from, setFrom)}{pick(t.to, to, setTo)}</div>
			<Compare project={project} slug={b.slug} from={from} to={to} />
		</>}
	</section>;
}
