/*
 * code.tsx: the text of a document, in CodeMirror.  It lives in a shadow
 * root: there its styles are sheets of its own, which the CSP lets be.
 */
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, bracketMatching, indentUnit,
	syntaxHighlighting } from "@codemirror/language";
import { search, searchKeymap } from
    "@codemirror/search";
import { EditorState, RangeSet, StateEffect, StateField } from
    "@codemirror/state";
import { Decoration, EditorView, GutterMarker, gutterLineClass,
	highlightActiveLine, keymap, lineNumbers, type DecorationSet } from
    "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "preact/hooks";

interface Props { text: string; label: string; bad: number[];
	onChange: (text: string) => void;
	/* a line to go to; another number each time it is asked for */
	goTo?: { line: number } | null }

const setBad = StateEffect.define<number[]>();
const wrongLine = Decoration.line({ class: "wrong-line" });
const marker = new class extends GutterMarker {
	override elementClass = "wrong-no";
}();
const badLines = StateField.define<DecorationSet>({
	create: () => Decoration.none,
	update(old, tr) {
		let now = old.map(tr.changes);
		for (const e of tr.effects)
			if (e.is(setBad))
				now = Decoration.set([...new Set(e.value)].filter(n =>
				    n <= tr.state.doc.lines).sort((a, b) => a - b).map(n =>
				    wrongLine.range(tr.state.doc.line(n).from)));
		return now;
	},
	provide: f => [EditorView.decorations.from(f), gutterLineClass.compute(
	    [f], s => {
		const at: { from: number; to: number; value: GutterMarker }[] = [];
		s.field(f).between(0, s.doc.length, from => {
			at.push({ from, to: from, value: marker });
		});
		return RangeSet.of(at);
	    })],
});

/* The browser's own way to replace a selection leaves style attributes in
 * the lines, which the CSP refuses and tells of. */
const plainTyping = EditorView.domEventHandlers({
	beforeinput: (e, v) => {
		if (e.inputType !== "insertText" || e.data === null ||
		    e.isComposing || v.composing || v.state.readOnly)
			return false;
		v.dispatch(v.state.replaceSelection(e.data),
		    { scrollIntoView: true, userEvent: "input.type" });
		e.preventDefault();
		return true;
	},
});

const look = EditorView.theme({
	"&": { color: "var(--fg)", background: "var(--bg)", height: "100%",
		fontSize: "13px", maxHeight: "70vh" },
	".cm-scroller": { fontFamily: "var(--mono)", overflow: "auto" },
	".cm-gutters": { background: "var(--bg2)", color: "var(--fg2)",
		borderRight: "1px solid var(--line)" },
	".cm-activeLine, .cm-activeLineGutter": { background: "transparent" },
	"&.cm-focused .cm-activeLine": { background: "var(--bg2)" },
	".cm-content": { caretColor: "var(--fg)" },
	"&.cm-focused": { outline: "2px solid var(--focus)",
		outlineOffset: "-2px" },
	".wrong-line": { background: "var(--bad-bg) !important" },
	".wrong-no": { color: "var(--bad)", fontWeight: "700" },
	".cm-panels": { background: "var(--bg2)", color: "var(--fg)" },
	".cm-panels input, .cm-panels button": { color: "var(--fg)",
		background: "var(--bg)", backgroundImage: "none",
		border: "1px solid var(--edge)" },
});
const colours = HighlightStyle.define([
	{ tag: [tags.propertyName, tags.definition(tags.propertyName)],
		color: "var(--link)" },
	{ tag: [tags.string, tags.content], color: "var(--fg)" },
	{ tag: tags.comment, color: "var(--fg2)", fontStyle: "italic" },
	{ tag: [tags.punctuation, tags.separator, tags.meta],
		color: "var(--fg2)" },
	{ tag: [tags.number, tags.bool, tags.keyword], color: "var(--warn)" },
]);

export default function Code(p: Props) {
	const host = useRef<HTMLDivElement>(null);
	const view = useRef<EditorView | null>(null);
	const change = useRef(p.onChange);
	change.current = p.onChange;

	useEffect(() => {
		const el = host.current;
		if (!el)
			return undefined;
		const root = el.shadowRoot ?? el.attachShadow({ mode: "open" });
		const v = view.current = new EditorView({ parent: root, root,
			state: EditorState.create({ doc: p.text, extensions: [
			lineNumbers(), history(),
			bracketMatching(), highlightActiveLine(), search({ top: true }),
			indentUnit.of("  "), yaml(),
			syntaxHighlighting(colours), badLines, look, plainTyping,
			keymap.of([...defaultKeymap, ...historyKeymap,
			    ...searchKeymap]),
			EditorView.contentAttributes.of({ "aria-label": p.label }),
			EditorView.updateListener.of(u => {
				if (u.docChanged && !u.transactions.some(x =>
				    x.isUserEvent("from.form")))
					change.current(u.state.doc.toString());
			})] }) });
		return () => v.destroy();
	}, []);
	useEffect(() => {
		const v = view.current;
		if (v && v.state.doc.toString() !== p.text)
			v.dispatch({ userEvent: "from.form", changes: { from: 0,
				to: v.state.doc.length, insert: p.text } });
	}, [p.text]);
	useEffect(() => {
		view.current?.dispatch({ effects: setBad.of(p.bad) });
	}, [p.bad.join(), p.text]);
	useEffect(() => {
		const v = view.current;
		if (!v || !p.goTo)
			return;
		const line = v.state.doc.line(Math.min(v.state.doc.lines,
		    p.goTo.line));
		v.dispatch({ selection: { anchor: line.from },
			effects: EditorView.scrollIntoView(line.from,
			    { y: "center" }) });
		v.focus();
	}, [p.goTo]);
	return <div class="runbooks-code" ref={host} />;
}
