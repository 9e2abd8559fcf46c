/*
 * grid.tsx: a list of any length as an ARIA grid: only the rows in sight are
 * in the document.  The focused row is known by its key: what comes above
 * does not move it.
 */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState }
    from "preact/hooks";
import { useKeys } from "../app/keys.ts";
import { prefs } from "../core/prefs.ts";
import { T, say } from "../text/index.ts";

export interface Column<R> {
	id: string; label: string;
	/* a CSS track: "6rem", "minmax(0,1fr)" */
	width: string;
	cell: (r: R) => ComponentChildren;
	/* sorts by this, here; without it the column does not sort */
	by?: (r: R) => string | number;
	/* not shown where there is no room */
	wide?: boolean;
}
export interface GridProps<R> {
	label: string; rows: readonly R[]; columns: Column<R>[];
	keyOf: (r: R) => string;
	/* Enter, a click: open it; a link's address, for whoever wants a tab */
	href?: (r: R) => string;
	onOpen?: (r: R) => void;
	/* Space */
	onPreview?: (r: R | null) => void;
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
	/* how high the grid is at most; default: what is left of the page */
	height?: string;
}

const query = matchMedia("(max-width: 760px)");
export const narrow = signal(query.matches);
query.addEventListener("change", () => { narrow.value = query.matches; });

const coarse = matchMedia("(pointer: coarse)");
const rowHeight = (): number => coarse.matches ? 44 :
    prefs.value.dense ? 28 : 36;
const OVER = 8;     /* rows beyond what is seen, each side */

export function Grid<R>(p: GridProps<R>) {
	const box = useRef<HTMLDivElement>(null);
	const [view, setView] = useState({ top: 0, high: 600 });
	const [at, setAt] = useState<string | null>(null);
	const [order, setOrder] = useState<{ id: string; up: boolean } | null>(
	    null);
	const h = rowHeight();
	const cols = p.columns.filter(c => !(c.wide && narrow.value));

	const rows = useMemo(() => {
		const by = p.columns.find(x => x.id === order?.id)?.by;
		if (!by || !order)
			return p.rows;
		const f = order.up ? 1 : -1;
		return [...p.rows].sort((a, b) => {
			const x = by(a), y = by(b);
			return x < y ? -f : x > y ? f : 0;
		});
	}, [p.rows, order]);

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
	}, []);

	const first = Math.max(0, Math.floor(view.top / h) - OVER);
	const last = Math.min(rows.length,
	    Math.ceil((view.top + view.high) / h) + OVER);
	useEffect(() => {
		if (last >= rows.length - OVER && rows.length > 0)
			p.more?.();
	}, [last, rows.length]);

	const index = at === null ? -1 : rows.findIndex(r => p.keyOf(r) === at);
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
		} else if (e.key === "Enter" && current && p.onOpen &&
		    (e.target as Element).getAttribute("role") === "row") {
			e.preventDefault();
			p.onOpen(current);
		} else if (e.key === " " && current && p.onPreview &&
		    (e.target as Element).getAttribute("role") === "row") {
			e.preventDefault();
			p.onPreview(current);
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
	const tracks = (p.onSelect ? "2rem " : "") +
	    cols.map(c => c.width).join(" ");

	if (rows.length === 0 && p.empty)
		return <>{p.empty}</>;
	return <div ref={box} class="grid" role="grid" aria-label={p.label}
	    aria-rowcount={rows.length + 1} aria-multiselectable={p.onSelect ?
		true : undefined} onKeyDown={onKey}
	    style={{ "--cols": tracks, "--row": `${h}px`,
		...(p.height && { maxHeight: p.height }) }}>
		<div class="grid-row grid-head" role="row" aria-rowindex={1}>
			{p.onSelect && <span role="columnheader" class="cell">
				<input type="checkbox" aria-label={T.kit.selectAll}
				    checked={rows.length > 0 &&
					p.selected?.size === rows.length}
				    onChange={e => p.onSelect?.(e.currentTarget.checked ?
					new Set(rows.map(p.keyOf)) : new Set())} /></span>}
			{cols.map(c => <span key={c.id} role="columnheader"
			    class="cell" aria-sort={sorted(c)}>
				{c.by || (p.onSort && p.sort !== undefined &&
				    c.by !== undefined) ?
				    <button type="button" class="sorter"
					onClick={() => head(c)}>{c.label}
					<span aria-hidden="true">{
					    sorted(c) === "ascending" ? " ↑" :
					    sorted(c) === "descending" ? " ↓" : ""}</span>
				    </button> : c.label}
			</span>)}
		</div>
		<div class="grid-body" role="rowgroup"
		    style={{ height: `${rows.length * h}px` }}>
			{rows.slice(first, last).map((r, n) => {
				const k = p.keyOf(r), i = first + n;
				const sel = p.selected?.has(k);
				return <div key={k} role="row" aria-rowindex={i + 2}
				    class={`grid-row ${k === at ? "at" : ""} ` +
					(p.rowClass?.(r) ?? "")}
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
					(p.onOpen ?? p.onPreview)?.(r);
				    }}>
					{p.onSelect && <span role="gridcell" class="cell">
						<input type="checkbox" tabIndex={-1}
						    checked={sel} aria-label={
						    say(T.kit.selectOne, { key: k })}
						    onChange={() => toggle(r)} /></span>}
					{cols.map((c, j) => <span key={c.id}
					    role="gridcell" class="cell">
						{j === 0 && p.href ? <a href={p.href(r)}
						    tabIndex={-1}>{c.cell(r)}</a> : c.cell(r)}
					</span>)}
				</div>;
			})}
		</div>
	</div>;
}
