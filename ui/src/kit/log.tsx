/*
 * log.tsx: a log of any length: opens at its end, shows what is in sight,
 * goes on as it is written.
 */
import { useEffect, useLayoutEffect, useMemo, useRef, useState }
    from "preact/hooks";
import { T, say } from "../text/index.ts";
import { ansi } from "./ansi.ts";
import { Failed } from "./bits.tsx";
import { Button } from "./button.tsx";
import { LogData, type Hit } from "./log-data.ts";
import { followLog } from "./log-stream.ts";
import { Plain } from "./plain.tsx";
import { toastWrong } from "./toast.tsx";

const H = 18;
const MOST_HITS = 100000;

function Line({ text, words }: { text: string; words: string }) {
	return <>{ansi(text).map((p, i) => p.control ?
		<span key={i} class="hidden-char">{p.text}</span> :
		<span key={i} class={p.cls || undefined}>
			<Marked text={p.text} words={words} /></span>)}</>;
}
function Marked({ text, words }: { text: string; words: string }) {
	const parts = [], low = text.toLowerCase(), w = words.toLowerCase();
	let at = 0;
	for (let i = w ? low.indexOf(w) : -1; i >= 0; i = low.indexOf(w, at)) {
		parts.push(<Plain key={at} text={text.slice(at, i)} />,
		    <mark key={at + "m"}>{text.slice(i, i + w.length)}</mark>);
		at = i + w.length;
	}
	return <>{parts}<Plain text={text.slice(at)} /></>;
}

interface At { k: number; i: number }

function useLog(path: string, step: string | undefined, live: boolean) {
	const [, draw] = useState(0);
	const [error, fail] = useState<Error | null>(null);
	const frame = useRef(0);
	const data = useMemo(() => new LogData(path, { step }, () => {
		frame.current ||= requestAnimationFrame(() => {
			frame.current = 0;
			draw(n => n + 1);
		});
	}), [path, step]);
	useEffect(() => {
		data.open().catch((e: unknown) => {
			if (!data.abort.signal.aborted)
				fail(e as Error);
		});
		return () => { data.close(); cancelAnimationFrame(frame.current); };
	}, [data]);
	useEffect(() => live && data.ready ? followLog(path + "/stream" +
	    (step ? "?step=" + encodeURIComponent(step) : ""), data) : undefined,
	    [data, live, data.ready]);
	return { data, error };
}

export function LogViewer({ path, step, live, label }: { path: string;
    step?: string | undefined; live: boolean; label: string }) {
	const { data, error } = useLog(path, step, live);
	const box = useRef<HTMLDivElement>(null);
	const [view, setView] = useState({ top: 0, high: 600 });
	const [follow, setFollow] = useState(true);
	const [wrap, setWrap] = useState(false);
	const [on, setOn] = useState<number | null>(null);
	const [words, setWords] = useState("");
	const anchor = useRef<At & { off: number } | null>(null);
	const total = data.total();

	useLayoutEffect(() => {
		const el = box.current;
		if (!el)
			return undefined;
		const look = (): void => setView({ top: el.scrollTop,
			high: el.clientHeight });
		const scrolled = (): void => {
			look();
			setFollow(el.scrollTop + el.clientHeight >=
			    el.scrollHeight - H);
			anchor.current = null;
		};
		const seen = new ResizeObserver(() => {
			look();
			fit();
		});
		el.addEventListener("scroll", scrolled, { passive: true });
		seen.observe(el);
		return () => {
			el.removeEventListener("scroll", scrolled);
			seen.disconnect();
		};
	}, [data, data.ready]);
	const fit = (): void => {
		const el = box.current;
		/* JetBrains Mono is 0.6 em wide; so are its fallbacks, nearly */
		data.wrap(wrap && el ? Math.max(20, Math.floor(
		    (el.clientWidth - 100) / 7.9)) : 0);
	};
	useEffect(fit, [data, wrap]);

	/* what is in sight, and what it takes */
	const shown: { at: At; y: number }[] = [];
	let y = 0, top: (At & { off: number }) | null = null;
	const wanted: number[] = [];
	for (let k = 0; k < data.counts.length; k++) {
		const n = data.count(k), end = y + n * H;
		if (end > view.top && y < view.top + view.high) {
			wanted.push(k);
			const a = Math.max(0, Math.floor((view.top - y) / H) - 5);
			const b = Math.min(n, Math.ceil((view.top + view.high -
			    y) / H) + 5);
			for (let i = a; i < b; i++)
				shown.push({ at: { k, i }, y: y + i * H });
			top ??= { k, i: Math.floor((view.top - y) / H),
			    off: (view.top - y) % H };
		}
		y = end;
	}
	useEffect(() => {
		for (const k of wanted)
			data.load(k).catch(() => undefined);
	}, [wanted.join()]);
	/* what came to be known above must not move what one reads */
	useLayoutEffect(() => {
		const el = box.current;
		if (!el || !data.ready)
			return;
		if (follow)
			el.scrollTop = el.scrollHeight;
		else if (anchor.current)
			el.scrollTop = topOf(data, anchor.current) +
			    anchor.current.off;
		anchor.current = top;
	}, [total, follow, data.ready]);
	useEffect(() => { anchor.current = top; });

	const show = (at: At, byte: number): void => {
		const el = box.current;
		if (!el)
			return;
		setFollow(false);
		setOn(byte);
		anchor.current = null;
		el.scrollTop = Math.max(0, topOf(data, at) - el.clientHeight / 3);
	};
	if (error)
		return <Failed error={error} />;
	return <div class="log">
		<LogBar data={data} follow={follow} wrap={wrap} live={live}
		    onFollow={() => setFollow(f => !f)} show={show}
		    onWrap={() => setWrap(w => !w)} words={setWords} />
		<div class="log-view" ref={box} tabIndex={0} role="region"
		    aria-label={label} data-ready={data.ready || undefined}>
			{data.ready && data.size === 0 && <p class="loading">
				{live ? T.runs.logNone : T.runs.logEmpty}</p>}
			<div class="log-body" style={{ height: `${total * H}px` }}>
				{shown.map(({ at, y: py }) => {
					const r = data.row(at.k, at.i);
					return <div key={at.k + ":" + at.i}
					    class={r && r.row.from === on ?
						"log-row on" : "log-row"}
					    style={{ transform: `translateY(${py}px)` }}>
						<span class="log-no">{r?.row.first ?
						    data.lineOf(at.k, at.i) ?? "" : ""}</span>
						<span class="log-text">{r ?
						    <Line text={r.text} words={words} /> :
						    <span class="log-wait">…</span>}</span>
					</div>;
				})}
			</div>
		</div>
	</div>;
}

function topOf(data: LogData, at: At): number {
	let n = at.i;
	for (let k = 0; k < at.k; k++)
		n += data.count(k);
	return n * H;
}

function LogBar(p: { data: LogData; follow: boolean; wrap: boolean;
    live: boolean; onFollow: () => void; onWrap: () => void;
    show: (at: At, byte: number) => void; words: (w: string) => void }) {
	const [text, put] = useState(""), [line, putLine] = useState("");
	const [hits, setHits] = useState<Hit[] | null>(null);
	const [at, setAt] = useState(0), [busy, run] = useState<number | null>(null);
	const found = useRef("");

	const go = async (h: Hit[], i: number): Promise<void> => {
		const n = (i + h.length) % h.length, hit = h[n];
		if (!hit)
			return;
		setAt(n);
		const row = await p.data.rowAt(hit.at);
		p.show(row, p.data.row(row.k, row.i)?.row.from ?? hit.at);
	};
	const search = async (step: number): Promise<void> => {
		if (text === "")
			return;
		if (hits && found.current === text)
			return go(hits, at + step);
		run(0);
		found.current = text;
		p.words(text);
		try {
			const h = await p.data.search(text, MOST_HITS, run);
			setHits(h);
			await go(h, h.length - 1);
		} finally {
			run(null);
		}
	};
	const jump = async (): Promise<void> => {
		const n = Number(line);
		if (!Number.isInteger(n) || n < 1)
			return;
		run(0);
		try {
			const row = await p.data.lineAt(n);
			p.show(row, p.data.row(row.k, row.i)?.row.from ?? 0);
		} finally {
			run(null);
		}
	};
	return <div class="log-bar">
		<Button pressed={p.follow} onClick={p.onFollow}>
			{T.runs.follow}</Button>
		<Button pressed={p.wrap} onClick={p.onWrap}>{T.runs.wrap}</Button>
		<form role="search" onSubmit={e => {
			e.preventDefault();
			search(-1).catch(toastWrong);
		}}>
			<input value={text} placeholder={T.runs.logSearch}
			    aria-label={T.runs.logSearch} spellcheck={false}
			    autocomplete="off" class="log-search" onInput={e => {
				put(e.currentTarget.value);
				setHits(null);
			    }} />
			<Button type="submit" icon="search" label={T.runs.logBack} />
			<Button icon="down" label={T.runs.logOn}
			    onClick={() => search(1)} />
			<span class="dim small log-hits" role="status">{busy !== null ?
			    T.runs.searching : hits === null ? "" :
			    hits.length === 0 ? T.runs.noHits :
			    say(T.runs.hits, { i: at + 1, n: hits.length })}</span>
		</form>
		<form onSubmit={e => {
			e.preventDefault();
			jump().catch(toastWrong);
		}}>
			<input value={line} class="log-line" inputMode="numeric"
			    placeholder={T.runs.logLine} aria-label={T.runs.logLine}
			    onInput={e => putLine(e.currentTarget.value)} />
		</form>
		<span class="dim small">{say(T.runs.logSize, { n:
		    p.data.size < 1e5 ? `${p.data.size} B` :
		    `${(p.data.size / 1e6).toFixed(1)} MB` })}</span>
	</div>;
}
