/*
 * grid.tsx: a list of any length as an ARIA grid: only the rows in sight are
 * in the document.  The focused row is known by its key: what comes above
 * does not move it.
 */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState }
    from "preact/hooks";
import { useKeys } from "../app/keys.ts";
import { prefs } from "../core/prefs.ts";
import { T, say } from "../text/index.ts";
import { useHold, type Live } from "./hold.ts";
import { Icon } from "./icon.tsx";

export interface Column<R> {
	id: string; label: string;
	/* a CSS track: "6rem", "minmax(0,1fr)" */
	width: string;
	cell: (r: R) => ComponentChildren;
	/* sorts by this, here; without it the column does not sort */
	by?: (r: R) => string | number;
	/* sorts by the server (onSort) */
	sorts?: boolean;
	/* not shown where there is no room */
	wide?: boolean;
	/* the cell with the row's link; else the first */
	link?: boolean;
	/* what the cell says to a filter (onValue) */
	value?: (r: R) => string | null;
}
export interface GridProps<R> {
	label: string; rows: readonly R[]; columns: Column<R>[];
	keyOf: (r: R) => string;
	/* Enter, a click: open it; a link's address, for whoever wants a tab */
	href?: (r: R) => string;
	onOpen?: (r: R) => void;
	/* Space; with it a click is one, too, and the link opens */
	onPreview?: (r: R) => void;
	/* Space where focus is enough for a preview: shows or hides it */
	onToggle?: () => void;
	/* the row that has the focus at first */
	initial?: string | null;
	/* with it rows are selected by x, Shift+j/k and boxes */
	selected?: ReadonlySet<string>; onSelect?: (keys: Set<string>) => void;
	/* tells which row has the focus */
	onFocus?: (r: R | null) => void;
	/* asked for when the end comes into sight */
	more?: (() => void) | undefined;
	empty?: ComponentChildren;
	rowClass?: (r: R) => string;
	/* sorted by the server: a click on a head asks for another order */
	sort?: string; onSort?: (column: string) => void;
	/* keys for the focused row */
	keys?: { key: string; label: string; run: (r: R) => void }[];
	/* with it the list does not move while one reads it */
	live?: Live<R>;
	/* "=" and "-" on a cell (Left and Right go to it): only what says
	 * this, or all but that */
	onValue?: (column: string, value: string, without: boolean) => void;
}

const query = matchMedia("(max-width: 760px)");
export const narrow = signal(query.matches);
query.addEventListener("change", () => { narrow.value = query.matches; });

const coarse = matchMedia("(pointer: coarse)");
const rowHeight = (): number => coarse.matches || narrow.value ? 44 :
    prefs.value.dense ? 28 : 36;
const OVER = 8;     /* rows beyond what is seen, each side */
const STILL_MS = 4000;     /* a pointer that rests this long reads no more */

/* Does one read the list?  Scrolled, focused, or a pointer moves over it. */
function usePointing(): [boolean, () => void] {
	const [on, set] = useState(false);
	const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
	useEffect(() => () => clearTimeout(timer.current), []);
	return [on, () => {
		clearTimeout(timer.current);
		timer.current = setTimeout(() => set(false), STILL_MS);
		set(true);
	}];
}

export function Grid<R>(p: GridProps<R>) {
	const box = useRef<HTMLDivElement>(null);
	const [view, setView] = useState({ top: 0, high: 600 });
	const [at, setAt] = useState<string | null>(null);
	const [order, setOrder] = useState<{ id: string; up: boolean } | null>(
	    null);
	const h = rowHeight();
	const cols = p.columns.filter(c => !(c.wide && narrow.value));

	const sortedRows = useMemo(() => {
		const by = p.columns.find(x => x.id === order?.id)?.by;
		if (!by || !order)
			return p.rows;
		const f = order.up ? 1 : -1;
		const keyed = p.rows.map(r => ({ r, k: by(r) }));
		keyed.sort((a, b) => a.k < b.k ? -f : a.k > b.k ? f : 0);
		return keyed.map(x => x.r);
	}, [p.rows, order]);
	const [col, setCol] = useState(0);
	const [inside, setInside] = useState(false);
	const [pointing, pointed] = usePointing();
	const held = useHold(sortedRows, p.keyOf, p.live,
	    view.top > 0 || inside || pointing, order);
	const rows = held.rows, id = useId();

	useLayoutEffect(() => {
		const el = box.current;
		if (!el)
			return undefined;
		let frame = 0;
		const look = (): void => {
			frame = 0;
			setView({ top: el.scrollTop, high: el.clientHeight });
		};
		const soon = (): void => {
			frame ||= requestAnimationFrame(look);
		};
		const seen = new ResizeObserver(soon);
		el.addEventListener("scroll", soon, { passive: true });
		seen.observe(el);
		look();
		return () => {
			cancelAnimationFrame(frame);
			seen.disconnect();
			el.removeEventListener("scroll", soon);
		};
	}, [rows.length === 0]);

	const first = Math.max(0, Math.floor(view.top / h) - OVER);
	const last = Math.min(rows.length,
	    Math.ceil((view.top + view.high) / h) + OVER);
	useEffect(() => {
		if (last >= rows.length - OVER && rows.length > 0)
			p.more?.();
	}, [last, rows.length]);

	const index = useMemo(() => at === null ? -1 :
	    rows.findIndex(r => p.keyOf(r) === at), [rows, at]);
	useAnchor(box, rows, p.keyOf, at, h, `${p.live?.epoch} ${order?.id} ` +
	    `${order?.up}`);
	const began = useRef(false);
	useEffect(() => {
		const i = p.initial && !began.current ?
		    rows.findIndex(r => p.keyOf(r) === p.initial) : -1;
		if (i >= 0)
			focus(i);
		began.current = began.current || rows.length > 0;
	}, [rows]);
	/* the focused row has left: on with the one that took its place */
	const was = useRef(-1);
	useEffect(() => {
		if (at !== null && index < 0 && was.current >= 0 &&
		    rows.length > 0 && p.live) {
			const i = Math.min(was.current, rows.length - 1);
			if (inside)
				focus(i);
			else
				setAt(null);
		}
		was.current = index;
	}, [rows, index]);
	const focus = (i: number): void => {
		const r = rows[i], el = box.current;
		if (!r || !el)
			return;
		const y = i * h, head = h;
		if (y < el.scrollTop)
			el.scrollTop = y;
		else if (y + h + head > el.scrollTop + el.clientHeight)
			el.scrollTop = y + h + head - el.clientHeight;
		setAt(p.keyOf(r));
		p.onFocus?.(r);
		requestAnimationFrame(() => el.querySelector<HTMLElement>(
		    `[aria-rowindex="${i + 2}"]`)?.focus({ preventScroll: true }));
	};
	const step = (n: number, extend = false): void => {
		const i = Math.max(0, Math.min(rows.length - 1,
		    index < 0 ? 0 : index + n));
		if (extend && p.onSelect) {
			const s = new Set(p.selected);
			for (const j of [Math.max(index, 0), i]) {
				const r = rows[j];
				if (r)
					s.add(p.keyOf(r));
			}
			p.onSelect(s);
		}
		focus(i);
	};
	const toggle = (r: R): void => {
		const s = new Set(p.selected), k = p.keyOf(r);
		if (!s.delete(k))
			s.add(k);
		p.onSelect?.(s);
	};
	const value = (r: R, without: boolean): void => {
		const c = cols[col], v = c?.value?.(r);
		if (c && v)
			p.onValue?.(c.id, v, without);
	};
	const take = (): void => {
		held.take();
		box.current?.scrollTo(0, 0);
	};
	const current = rows[index];
	const on = (f: (r: R) => void) => (): void => {
		if (current)
			f(current);
	};
	useKeys([
		{ key: "j", label: T.keys.down, run: () => step(1) },
		{ key: "k", label: T.keys.up, run: () => step(-1) },
		...(p.onSelect ? [
			{ key: "x", label: T.keys.select, run: on(toggle) },
			{ key: "J", label: T.keys.extendDown,
				run: () => step(1, true) },
			{ key: "K", label: T.keys.extendUp,
				run: () => step(-1, true) }] : []),
		...(p.onValue ? [
			{ key: "=", label: T.keys.only, run: on(r => value(r, false)) },
			{ key: "-", label: T.keys.without,
				run: on(r => value(r, true)) }] : []),
		...(p.live ? [{ key: "N", label: T.keys.fresh, run: take }] : []),
		...(p.keys ?? []).map(k => ({ key: k.key, label: k.label,
			run: on(k.run) })),
	]);

	const onKey = (e: KeyboardEvent): void => {
		const page = Math.max(1, Math.floor(view.high / h) - 2);
		const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1,
			PageDown: page, PageUp: -page, Home: -rows.length,
			End: rows.length };
		const n = moves[e.key];
		if (n !== undefined) {
			e.preventDefault();
			step(n, e.shiftKey);
		} else if (p.onValue && current &&
		    (e.key === "ArrowRight" || e.key === "ArrowLeft")) {
			e.preventDefault();
			setCol(Math.max(0, Math.min(cols.length - 1,
			    col + (e.key === "ArrowRight" ? 1 : -1))));
		} else if (e.key === "Enter" && current && p.onOpen &&
		    (e.target as Element).getAttribute("role") === "row") {
			e.preventDefault();
			p.onOpen(current);
		} else if (e.key === " " && current &&
		    (p.onToggle ?? p.onPreview) &&
		    (e.target as Element).getAttribute("role") === "row") {
			e.preventDefault();
			if (p.onToggle)
				p.onToggle();
			else
				p.onPreview?.(current);
		}
	};

	const sorted = (c: Column<R>): "ascending" | "descending" | undefined =>
		p.onSort ? (p.sort === c.id ? "ascending" :
		    p.sort === "-" + c.id ? "descending" : undefined) :
		    order?.id === c.id ? (order.up ? "ascending" : "descending") :
		    undefined;
	const head = (c: Column<R>): void => {
		if (p.onSort)
			p.onSort(p.sort === "-" + c.id ? c.id : "-" + c.id);
		else
			setOrder(o => o?.id === c.id ? { id: c.id, up: !o.up } :
			    { id: c.id, up: true });
	};
	const link = Math.max(0, cols.findIndex(c => c.link));
	const tracks = (p.onSelect ? "2rem " : "") +
	    cols.map(c => c.width).join(" ");

	if (rows.length === 0 && p.empty)
		return <>{p.empty}</>;
	const grid = <div ref={box} class="grid" role="grid" aria-label={p.label}
	    onFocusIn={e => setInside((e.target as Element)
		.closest(".grid-body") !== null)}
	    onFocusOut={e => {
		/* not when the row left the document under it */
		if (e.relatedTarget && !box.current?.contains(
		    e.relatedTarget as Node))
			setInside(false);
	    }}
	    aria-rowcount={rows.length + 1} aria-multiselectable={p.onSelect ?
		true : undefined} onKeyDown={onKey}
	    style={{ "--cols": tracks, "--row": `${h}px`,
		"--high": `${(rows.length + 1) * h + 2}px` }}>
		<div class="grid-row grid-head" role="row" aria-rowindex={1}>
			{p.onSelect && <span role="columnheader" class="cell">
				<input type="checkbox" aria-label={T.kit.selectAll}
				    checked={rows.length > 0 &&
					p.selected?.size === rows.length}
				    onChange={e => p.onSelect?.(e.currentTarget.checked ?
					new Set(rows.map(p.keyOf)) : new Set())} /></span>}
			{cols.map(c => <span key={c.id} role="columnheader"
			    class="cell" aria-sort={sorted(c)}>
				{(p.onSort ? c.sorts : c.by) ?
				    <button type="button" class="sorter"
					onClick={() => head(c)}>{c.label}
					<span aria-hidden="true">{
					    sorted(c) === "ascending" ? " ↑" :
					    sorted(c) === "descending" ? " ↓" : ""}</span>
				    </button> : c.label}
			</span>)}
		</div>
		<div class="grid-body" role="rowgroup"
		    onPointerMove={p.live && pointed}
		    style={{ height: `${rows.length * h}px` }}>
			{rows.slice(first, last).map((r, n) => {
				const k = p.keyOf(r), i = first + n;
				const sel = p.selected?.has(k);
				return <div key={k} role="row" aria-rowindex={i + 2}
				    class={`grid-row ${k === at ? "at" : ""} ` +
					(held.left.has(k) ? "left " : "") +
					(p.rowClass?.(r) ?? "")}
				    aria-activedescendant={p.onValue && k === at ?
					`${id}-${col}` : undefined}
				    aria-selected={p.onSelect ? sel : undefined}
				    tabIndex={k === at || (index < 0 && i === first) ?
					0 : -1}
				    style={{ transform: `translateY(${i * h}px)` }}
				    onFocus={e => {
					if (e.target === e.currentTarget && k !== at) {
						setAt(k);
						p.onFocus?.(r);
					}
				    }}
				    onClick={e => {
					if ((e.target as Element).closest(
					    "a, button, input"))
						return;
					setAt(k);
					p.onFocus?.(r);
					(p.onPreview ?? p.onOpen)?.(r);
				    }}>
					{p.onSelect && <span role="gridcell" class="cell">
						<input type="checkbox" tabIndex={-1}
						    checked={sel} aria-label={
						    say(T.kit.selectOne, { key: k })}
						    onChange={() => toggle(r)} /></span>}
					{cols.map((c, j) => <span key={c.id}
					    role="gridcell" {...(p.onValue && k === at &&
						{ id: `${id}-${j}` })}
					    class={p.onValue && k === at && j === col ?
						"cell on" : "cell"}
					    onMouseDown={p.onValue && (() => setCol(j))}>
						{j === link && p.href ? <a href={p.href(r)}
						    tabIndex={-1}>{c.cell(r)}</a> : c.cell(r)}
						{p.onValue && k === at && j === col &&
						    c.value?.(r) && <CellTools
							value={c.value(r) ?? ""}
							on={w => value(r, w)} />}
					</span>)}
				</div>;
			})}
		</div>
	</div>;
	return p.live ? <div class="grid-live">
		{held.fresh > 0 && <button type="button" class="pill fresh-pill"
		    onClick={take}>{say(T.kit.fresh, { n: held.fresh })}</button>}
		{grid}</div> : grid;
}

/* Only this, all but this, for whoever has no keyboard. */
const CellTools = ({ value, on }: { value: string;
    on: (without: boolean) => void }) => <span class="cell-tools">
	<button type="button" class="ghost" tabIndex={-1} aria-label={
	    say(T.kit.only, { value })} title={say(T.kit.only, { value })}
	    onClick={() => on(false)}><Icon name="plus" size={13} /></button>
	<button type="button" class="ghost" tabIndex={-1} aria-label={
	    say(T.kit.without, { value })} title={say(T.kit.without, { value })}
	    onClick={() => on(true)}><Icon name="x" size={13} /></button>
</span>;

/*
 * When rows come or go above, what one looks at stays where it is on the
 * screen: the focused row if it is in sight, else the first one that is.
 * Another question begins at its top.
 */
function useAnchor<R>(box: { current: HTMLDivElement | null },
    rows: readonly R[], keyOf: (r: R) => string, at: string | null, h: number,
    epoch: string): void {
	const before = useRef<{ rows: readonly R[]; epoch: string }>(
	    { rows, epoch });
	useLayoutEffect(() => {
		const el = box.current, old = before.current;
		before.current = { rows, epoch };
		if (!el || old.rows === rows)
			return;
		if (old.epoch !== epoch) {
			el.scrollTop = 0;
			return;
		}
		if (el.scrollTop === 0)
			return;
		const top = Math.floor(el.scrollTop / h);
		const seen = old.rows.slice(top, top +
		    Math.ceil(el.clientHeight / h));
		const r = seen.find(x => keyOf(x) === at) ?? seen[0];
		if (r === undefined)
			return;
		const k = keyOf(r), i = old.rows.indexOf(r);
		const n = rows[i] !== undefined && keyOf(rows[i] as R) === k ? i :
		    rows.findIndex(x => keyOf(x) === k);
		if (n >= 0 && n !== i)
			el.scrollTop += (n - i) * h;
	}, [rows, epoch]);
}
