/* book.tsx: one runbook: what it does, its versions, what would happen. */
import { useState } from "preact/hooks";
import { all, at, del, patch } from "../../core/api.ts";
import { go, here } from "../../app/router.ts";
import type { ViewProps } from "../../app/screen.ts";
import { useGet, useLoaded } from "../../core/use.ts";
import { Load, Page } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { confirm } from "../../kit/confirm.tsx";
import { Icon } from "../../kit/icon.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, say } from "../../text/index.ts";
import { BookState } from "./list.tsx";
import type { Runbook, Version, VersionHead } from "./model.ts";
import { Outline } from "./outline.tsx";
import { Plan, RunDialog } from "./plan.tsx";
import { VersionCard, Versions } from "./versions.tsx";

const t = T.runbooks;

export default function Book({ params }: ViewProps) {
	const p = params["project"] ?? "", slug = params["slug"] ?? "";
	const path = at`/v1/projects/${p}/runbooks/${slug}`;
	const mine = (e: { project?: string; action: string }): boolean =>
		e.project === p && /^runbook\.(update|publish|approve|delete|version\.create)/
		    .test(e.action);
	const book = useGet<Runbook>(path, undefined, mine);
	const [running, run] = useState(false);
	const asked = Number(here.value.query.get("version") ?? 0);
	const n = asked || book.data?.current || book.data?.latest || 0;
	const version = useGet<Version>(n > 0 ? `${path}/versions/${n}` : null,
	    undefined, mine);
	const list = useLoaded<VersionHead[]>(async () => ({ etag: null,
		status: 200, data: await all<VersionHead>(path + "/versions") }),
	    [path], mine);
	const again = (): void => {
		book.reload();
		version.reload();
		list.reload();
	};
	const set = async (body: object, said: string): Promise<void> => {
		await patch(path, body, book.etag);
		toast(said);
		again();
	};
	const remove = async (b: Runbook): Promise<void> => {
		if (!await confirm({ title: say(T.crud.deleteTitle,
		    { name: b.name }), text: T.crud.deleteText, danger: true,
		    go: T.kit.delete }))
			return;
		await del(path, book.etag);
		toast(say(T.crud.deleted, { name: b.name }));
		go(at`/p/${p}/runbooks`);
	};
	return <Load of={book}>{b => <Page title={b.name} back={[
	    at`/p/${p}/runbooks`, t.title]} lead={<>
		{b.pinned && <><Icon name="star" size={13} /> </>}
		<code>{b.slug}</code> <BookState b={b} /></>} actions={<>
		<Button kind="primary" icon="play" perm="runbook.run" project={p}
		    off={b.archived && t.archived || b.current === null &&
			t.nothingPublished || version.data !== null &&
			version.data.version !== b.current && t.notTheOne}
		    onClick={() => run(true)}>{t.run}</Button>
		<Button icon="edit" perm="runbook.edit" project={p}
		    off={b.archived && t.archived}
		    onClick={() => go(at`/p/${p}/runbooks/${b.slug}/edit`)}>
			{T.kit.edit}</Button>
		<Button icon="star" perm="runbook.edit" project={p}
		    pressed={b.pinned} onClick={() => set({ pinned: !b.pinned },
			b.pinned ? t.unpinnedNow : t.pinnedNow)}>{t.pin}</Button>
		<Button perm="runbook.edit" project={p} onClick={() =>
		    set({ archived: !b.archived }, b.archived ? t.unarchivedNow :
			t.archivedNow)}>{b.archived ? t.unarchive : t.archive}
		</Button>
		<Button kind="danger" icon="trash" perm="runbook.edit" project={p}
		    label={T.kit.delete} off={b.current !== null && t.keepsIt}
		    onClick={() => remove(b)} /></>}>
		{n !== b.current && b.current !== null && asked > 0 &&
		    <p class="wrong">{say(t.otherVersion, { n: b.current })}{" "}
			<a href={at`/p/${p}/runbooks/${b.slug}`}>{t.seeIt}</a></p>}
		{b.latest !== n && b.latest !== b.current && <p class="dim">
			{t.newer}{" "}<a href={at`/p/${p}/runbooks/${b.slug}` +
			    `?version=${b.latest}`}>
				{say(t.versionN, { n: b.latest })}</a></p>}
		<Load of={version}>{v => <div class="runbooks-main">
			<section class="card"><Outline doc={v.document} /></section>
			<div class="stack">
				<VersionCard b={b} v={v} project={p} etag={book.etag}
				    onDone={again} />
				<section class="card"><h2>{t.plan}</h2>
					<Plan key={v.version} project={p} slug={b.slug} v={v} />
				</section></div>
			{running && <RunDialog project={p} slug={b.slug} v={v}
			    onClose={() => run(false)} />}
		</div>}</Load>
		<Load of={list}>{vs => <Versions project={p} b={b} list={vs} />}
		</Load>
	</Page>}</Load>;
}
