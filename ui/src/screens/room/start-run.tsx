/* start-run.tsx: a published runbook, its inputs, go. */
import { useState } from "preact/hooks";
import { at, get, post, Problem } from "../../core/api.ts";
import { useLoaded } from "../../core/use.ts";
import { Empty, Load } from "../../kit/bits.tsx";
import { Button } from "../../kit/button.tsx";
import { Actions, Dialog } from "../../kit/dialog.tsx";
import { CheckField, FormBox, SelectField, Submit, TextField, needs, useForm }
    from "../../kit/form.tsx";
import { Plain } from "../../kit/plain.tsx";
import { toast } from "../../kit/toast.tsx";
import { T, plain, say } from "../../text/index.ts";
import type { Incident } from "../incidents/model.ts";
import { runbooks } from "./commands.ts";
import type { Room } from "./incident.ts";

interface Input { name: string; type: string; description?: string;
	required?: boolean; default?: unknown; enum?: unknown[];
	min?: number; max?: number }
interface Version { version: number; digest: string;
	document: { name: string; description?: string; inputs?: Input[];
		steps: unknown[] } }
interface Book { slug: string; name: string; version: Version }
type Values = Record<string, string | boolean>;

/* Fields are named as the server points at them. */
const fieldOf = (n: Input): string => "inputs." + n.name;
const textOf = (v: unknown): string => v === undefined || v === null ? "" :
    typeof v === "string" ? v : JSON.stringify(v);

function valueOf(n: Input, v: string | boolean | undefined): unknown {
	if (typeof v === "boolean")
		return v;
	if (v === undefined || v === "")
		return undefined;
	if (n.enum)
		return n.enum.find(x => textOf(x) === v);
	if (n.type === "string")
		return v;
	try {
		return JSON.parse(v) as unknown;
	} catch {
		throw new Problem(400, "invalid", T.room.badInput, "", "", 0, [{
			pointer: "/inputs/" + n.name, code: "invalid",
			detail: say(T.room.badInputOf, { type: n.type }) }]);
	}
}

function InputField({ n, form }: { n: Input;
    form: ReturnType<typeof useForm<Values>> }) {
	const p = { form: form as never, name: fieldOf(n) as never,
		label: n.name, ...(n.required && n.default === undefined &&
		{ required: true }), ...(n.description &&
		{ hint: n.description }) };
	if (n.type === "boolean")
		return <CheckField {...p} />;
	if (n.enum)
		return <SelectField {...p} options={[["", T.kit.none],
		    ...n.enum.map(x => [textOf(x), textOf(x)] as const)]} />;
	return n.type === "array" || n.type === "object" ?
	    <TextField {...p} rows={3} mono /> :
	    <TextField {...p} {...(n.type !== "string" &&
		{ inputmode: "numeric" as const })} />;
}

function Inputs({ book, room, i, onClose }: { book: Book; room: Room;
    i: Incident; onClose: () => void }) {
	const inputs = book.version.document.inputs ?? [];
	const form = useForm<Values>(Object.fromEntries(inputs.map(n =>
	    [fieldOf(n), n.type === "boolean" ? n.default === true :
		textOf(n.default)])), async v => {
		const given: Record<string, unknown> = {};
		for (const n of inputs) {
			const x = valueOf(n, v[fieldOf(n)]);
			if (x !== undefined)
				given[n.name] = x;
			else if (n.required && n.default === undefined)
				throw new Problem(400, "invalid", T.room.badInput, "",
				    "", 0, [{ pointer: "/inputs/" + n.name,
				    code: "invalid", detail: needs(n.name) }]);
		}
		await post(at`/v1/projects/${room.project}/runbooks/${book.slug
		    }/runs`, { inputs: given, incident: i.id });
		toast(say(T.room.started, { name: book.name }));
		onClose();
	});
	return <FormBox form={form}>
		{book.version.document.description && <p>
			<Plain text={book.version.document.description} /></p>}
		<p class="dim small">{say(T.room.willRun, { n:
		    book.version.document.steps.length,
		    v: book.version.version })}</p>
		{inputs.map(n => <InputField key={n.name} n={n} form={form} />)}
		<Actions><Button onClick={onClose}>{T.kit.cancel}</Button>
			<Submit form={form}>{T.room.startRun}</Submit></Actions>
	</FormBox>;
}

export function StartRun({ room, i, slug, onClose }: { room: Room;
    i: Incident; slug: string | null; onClose: () => void }) {
	const [chosen, choose] = useState(slug);
	const list = useLoaded(async () => ({ data:
	    await runbooks(room.project), etag: null, status: 200 }),
	    [room.project]);
	const book = useLoaded<Book>(chosen === null ? null : async signal => {
		const b = list.data?.find(x => x.slug === chosen) ??
		    (await runbooks(room.project)).find(x => x.slug === chosen);
		const got = await get<Version>(at`/v1/projects/${room.project
		    }/runbooks/${chosen}/versions/${b?.current ?? 1}`,
		    undefined, signal);
		return { ...got, data: { slug: chosen, version: got.data,
			name: b?.name ?? chosen } };
	}, [chosen]);
	return <Dialog title={say(T.room.runFor, { n: i.number })}
	    onClose={onClose}>
		<Load of={list}>{books => books.length === 0 ?
			<Empty icon="book" title={T.room.noBooks}>
				{T.room.noBooksHint}</Empty> :
			<div class="field"><label for="run-book">{T.room.runbook}
				</label><select id="run-book" value={chosen ?? ""}
				onChange={e => choose(e.currentTarget.value || null)}>
				<option value="">{T.room.chooseBook}</option>
				{books.map(b => <option key={b.slug} value={b.slug}>
					{plain(b.name)}</option>)}</select></div>}</Load>
		{chosen !== null && <Load of={book}>{b => <Inputs key={b.slug}
		    book={b} room={room} i={i} onClose={onClose} />}</Load>}
	</Dialog>;
}
