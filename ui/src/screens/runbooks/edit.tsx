/*
 * edit.tsx: the builder.  The form and the text are two views of one tree,
 * which is what the API is sent; saving makes another version.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { at, get, post, Problem, type Got } from "../../core/api.ts";
import { go, goQuery, guardLeaving, here } from "../../app/router.ts";
import type { ViewProps } from "../../app/screen.ts";
import { useLoaded } from "../../core/use.ts";
import { Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { Dialog } from "../../kit/dialog.tsx";
import { narrow } from "../../kit/grid.tsx";
import { lazy } from "../../kit/lazy.tsx";
import { toast, wrong } from "../../kit/toast.tsx";
import { T, say } from "../../text/index.ts";
import { errorsOf, type Ed } from "./ed.ts";
import { Fields } from "./fields.tsx";
import { newDocument, type Runbook, type Version } from "./model.ts";
import { RESULTS, RUNBOOK } from "./specs.ts";
import { StepList } from "./steps.tsx";
import { same, setAt, type Json } from "./tree.ts";
import { Diff } from "./versions.tsx";

const t = T.runbooks;
const Code = lazy(() => import("./code.tsx"));
type Yaml = typeof import("./yaml.ts");
interface Base { book: Got<Runbook> | null; doc: Json; latest: number }

async function load(p: string, slug: string | undefined,
    signal?: AbortSignal): Promise<Base> {
	if (slug === undefined)
		return { book: null, doc: newDocument(), latest: 0 };
	const path = at`/v1/projects/${p}/runbooks/${slug}`;
	const book = await get<Runbook>(path, undefined, signal);
	const v = await get<Version>(`${path}/versions/${book.data.latest}`,
	    undefined, signal);
	return { book, doc: v.data.document, latest: book.data.latest };
}

/* One is asked before what was not saved is lost. */
function useGuard(dirty: boolean): void {
	useEffect(() => {
		if (!dirty)
			return undefined;
		const path = here.peek().path;
		guardLeaving(to => {
			if (new URL(to, location.origin).pathname === path)
				return true;
			void confirm({ title: t.leaveTitle, text: t.leaveText,
				go: t.leave, danger: true }).then(yes => {
				if (yes) {
					guardLeaving(null);
					go(to);
				}
			});
			return false;
		});
		const stay = (e: BeforeUnloadEvent): void => e.preventDefault();
		addEventListener("beforeunload", stay);
		return () => {
			guardLeaving(null);
			removeEventListener("beforeunload", stay);
		};
	}, [dirty]);
}

function Editor({ project, base, yaml }: { project: string; base: Base;
    yaml: Yaml }) {
	const [from, rebase] = useState(base);
	const [doc, setDoc] = useState<Json>(base.doc);
	const [text, setText] = useState(() => yaml.stringify(base.doc));
	const [errors, setErrors] = useState(new Map<string, string>());
	const [said, say1] = useState(""), [note, setNote] = useState("");
	const [goTo, jump] = useState<{ line: number } | null>(null);
	const [theirs, clash] = useState<Base | null>(null);
	const latest = useRef(doc);
	latest.current = doc;
	const parsed = useMemo(() => yaml.parse(text), [text]);
	const dirty = !same(doc, from.doc) || parsed.doc === null;
	useGuard(dirty);
	const view = here.value.query.get("view") ??
	    (narrow.value ? "form" : "both");

	const put = (d: Json): void => {
		latest.current = d;
		setDoc(d);
		setText(yaml.stringify(d));
		setErrors(new Map());
	};
	const ed: Ed = { doc, errors, put, set: (place, v) =>
	    put(setAt(latest.current, place, v)) };
	const typed = (s: string): void => {
		const p = yaml.parse(s);
		setText(s);
		setErrors(new Map());
		if (p.doc !== null) {
			latest.current = p.doc;
			setDoc(p.doc);
		}
	};
	const save = async (on: Base): Promise<void> => {
		const list = at`/v1/projects/${project}/runbooks`;
		say1("");
		try {
			const body = { document: doc, ...(note && { note }) };
			const v = on.book ? (await post<Version>(at`/v1/projects/${
			    project}/runbooks/${on.book.data.slug}/versions`, body,
			    { ifMatch: on.book.etag })).data.version : 1;
			const slug = on.book?.data.slug ?? (await post<Runbook>(list,
			    body)).data.slug;
			guardLeaving(null);
			rebase({ ...on, doc });
			toast(say(t.saved, { n: v }));
			go(at`/p/${project}/runbooks/${slug}` + `?version=${v}`);
		} catch (e) {
			if (e instanceof Problem && e.status === 412 && on.book) {
				clash(await load(project, on.book.data.slug));
				return;
			}
			if (e instanceof Problem)
				setErrors(errorsOf(e.errors, "/document"));
			say1(wrong(e));
		}
	};
	const problems = [...parsed.wrong, ...[...errors].map(([p, m]) => ({
		line: parsed.lineOf(p), message: m, pointer: p }))];
	useEffect(() => {     /* what is wrong gets the focus */
		if (errors.size > 0)
			document.querySelector<HTMLElement>(
			    ".runbooks-edit [aria-invalid=true]")?.focus();
	}, [errors]);
	return <Page title={from.book ? say(t.editOf, { name:
	    from.book.data.name }) : t.create} lead={from.book ?
	    say(t.editLead, { n: from.latest + 1 }) : t.newLead} actions={<>
		<div class="row" role="group" aria-label={t.view}>
			{(["form", "yaml", "both"] as const).map(v =>
				<Button key={v} pressed={view === v} onClick={() =>
				    goQuery({ view: v })}>{t.views[v]}</Button>)}</div>
		<Button kind="primary" perm="runbook.edit" project={project}
		    off={parsed.doc === null && t.yamlFirst || !dirty && t.noChange}
		    onClick={() => save(from)}>{T.kit.save}</Button></>}>
		{said && <p class="wrong" role="alert">{said}</p>}
		<div class={view === "both" ? "runbooks-both" : "stack"}>
			{view !== "yaml" && <section class="card runbooks-edit form"
			    aria-label={t.views.form}>
				{parsed.doc === null && <p class="wrong">{t.formOld}</p>}
				<Fields ed={ed} at={[]} specs={RUNBOOK} />
				<fieldset><legend>{t.steps}</legend>
					{errors.get("/steps") && <p class="wrong">
						{errors.get("/steps")}</p>}
					<StepList ed={ed} list={["steps"]} /></fieldset>
				<Fields ed={ed} at={[]} specs={RESULTS} />
				<div class="field"><label for="version-note">{t.whyNew}
					</label><input id="version-note" value={note}
					autocomplete="off" onInput={e =>
					    setNote(e.currentTarget.value)} /></div>
			</section>}
			{view !== "form" && <section class="card stack runbooks-yaml"
			    aria-label={t.views.yaml}>
				<Code text={text} label={t.yamlLabel} goTo={goTo}
				    bad={problems.map(p => p.line)} onChange={typed} />
				<ul class="runbooks-problems" aria-live="polite">
					{problems.map((p, i) => <li key={i}>
						<button type="button" class="ghost wrong"
						    onClick={() => jump({ line: p.line })}>
							{say(t.line, { n: p.line })}: {p.message}
						</button></li>)}</ul>
				<p class="dim small">{t.yamlHint}</p>
			</section>}
		</div>
		{theirs && <Dialog wide title={T.merge.title}
		    onClose={() => clash(null)}>
			<p>{say(t.clash, { n: theirs.latest })}</p>
			<Diff a={yaml.stringify(theirs.doc)} b={yaml.stringify(doc)} />
			<div class="actions">
				<Button onClick={() => clash(null)}>{T.kit.cancel}</Button>
				<Button onClick={() => {
					rebase(theirs);
					put(theirs.doc);
					clash(null);
				}}>{t.takeTheirs}</Button>
				<Button kind="primary" onClick={async () => {
					clash(null);
					rebase(theirs);
					await save(theirs);
				}}>{say(t.saveMine, { n: theirs.latest + 1 })}</Button>
			</div></Dialog>}
	</Page>;
}

export default function Edit({ params }: ViewProps) {
	const p = params["project"] ?? "", slug = params["slug"];
	const base = useLoaded(async signal => {
		const [b, y] = await Promise.all([load(p, slug, signal),
		    import("./yaml.ts")]);
		return { data: { b, y }, etag: null, status: 200 };
	}, [p, slug]);
	return <Load of={base}>{({ b, y }) =>
		<Editor project={p} base={b} yaml={y} />}</Load>;
}
