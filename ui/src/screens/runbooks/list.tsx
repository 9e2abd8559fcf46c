/* list.tsx: the runbooks of a project, pinned ones first. */
import { at, get } from "../../core/api.ts";
import { go } from "../../app/router.ts";
import type { ViewProps } from "../../app/screen.ts";
import { useAll, useLoaded } from "../../core/use.ts";
import { Ago, Empty, Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Grid, type Column } from "../../kit/grid.tsx";
import { Icon } from "../../kit/icon.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T, say } from "../../text/index.ts";
import type { Runbook, VersionHead } from "./model.ts";

const t = T.runbooks;

export const BookState = ({ b }: { b: Runbook }) => b.archived ?
	<span class="pill st-revoked">{t.archived}</span> : b.current === null ?
	<span class="pill">{t.unpublished}</span> :
	<span class="pill st-published">{say(t.publishedN, { n: b.current })}
	</span>;

/* Of runbooks whose newest version is not the published one: where it is. */
async function drafts(project: string, books: Runbook[], signal: AbortSignal):
    Promise<Record<string, VersionHead>> {
	const open = books.filter(b => !b.archived && b.latest !== b.current)
	    .slice(0, 30);
	const all = await Promise.all(open.map(b => get<{ items: VersionHead[] }>(
	    at`/v1/projects/${project}/runbooks/${b.slug}/versions`,
	    { limit: 1 }, signal).then(g => [b.id, g.data.items[0]] as const)));
	return Object.fromEntries(all.filter(([, v]) => v)) as
	    Record<string, VersionHead>;
}
function Waiting({ v }: { v: VersionHead | undefined }) {
	if (!v || v.state === "published" || v.state === "superseded")
		return <>–</>;
	return <span class={`pill ${v.state === "approved" ? "st-approved" :
	    "st-waiting"}`}>{v.state === "approved" ? say(t.toPublish,
		{ n: v.version }) : say(t.approvalsOf, { n: v.approvals.length,
		    m: v.approvals_needed, v: v.version })}</span>;
}

export default function List({ params }: ViewProps) {
	const p = params["project"] ?? "";
	const list = useAll<Runbook>(at`/v1/projects/${p}/runbooks`, undefined,
	    e => e.project === p && /^runbook\.(create|update|delete|publish|approve|version\.create)/
		.test(e.action));
	const books = list.data;
	const open = useLoaded(books === null ? null : async signal => ({
		data: await drafts(p, books, signal), etag: null, status: 200 }),
	    [books]);
	const path = (b: Runbook): string => at`/p/${p}/runbooks/${b.slug}`;
	const columns: Column<Runbook>[] = [
		{ id: "name", label: t.name, width: "minmax(9rem,1fr)",
			cell: b => <>{b.pinned && <><Icon name="star" size={13} />
				<span class="sr">{t.pinned}</span> </>}
				<Plain text={b.name} /></>, by: b => b.name },
		{ id: "slug", label: t.slug, width: "12rem", wide: true,
			cell: b => <code>{b.slug}</code>, by: b => b.slug },
		{ id: "state", label: t.state, width: "8rem",
			cell: b => <BookState b={b} /> },
		{ id: "latest", label: t.latest, width: "5rem", wide: true,
			cell: b => b.latest, by: b => b.latest },
		{ id: "waits", label: t.waits, width: "11rem", wide: true,
			cell: b => <Waiting v={open.data?.[b.id]} /> },
		{ id: "context", label: t.context, width: "6rem", wide: true,
			cell: b => b.context, by: b => b.context },
		{ id: "updated", label: t.updated, width: "7rem", wide: true,
			cell: b => <Ago at={b.updated_at} />,
			by: b => b.updated_at },
	];
	return <Page title={t.title} lead={t.lead} actions={<Button kind="primary"
	    icon="plus" perm="runbook.edit" project={p} onClick={() =>
		go(at`/p/${p}/new-runbook`)}>{t.create}</Button>}>
		<Load of={list}>{rows => <Grid label={t.title} columns={columns}
		    rows={[...rows].sort((a, b) => Number(b.pinned) -
			Number(a.pinned) || (a.name < b.name ? -1 : 1))}
		    keyOf={b => b.id} href={path} onOpen={b => go(path(b))}
		    empty={<Empty icon="book" title={t.none}>{t.noneHint}
		    </Empty>} />}</Load>
	</Page>;
}
