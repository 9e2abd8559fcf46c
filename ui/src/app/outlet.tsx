/* outlet.tsx: the view of the address; one that breaks says so and leaves
 * the rest alone. */
import { Component, type ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Empty, Page } from "../kit/bits.tsx";
import { Button } from "../kit/button.tsx";
import { T } from "../text/index.ts";
import { here } from "./router.ts";
import type { View } from "./screen.ts";

class Broken extends Component<{ children: ComponentChildren; at: string },
    { error: Error | null }> {
	override state = { error: null as Error | null };
	override componentDidCatch(error: Error): void {
		console.error(error);
		this.setState({ error });
	}
	override componentDidUpdate(before: { at: string }): void {
		if (before.at !== this.props.at && this.state.error)
			this.setState({ error: null });
	}
	override render() {
		return this.state.error ? <Page title={T.kit.failed}>
			<Empty icon="alert" title={T.kit.broken}>
				<p class="mono">{String(this.state.error)}</p>
				<Button icon="refresh" onClick={() =>
				    this.setState({ error: null })}>{T.kit.again}</Button>
			</Empty></Page> : this.props.children;
	}
}

export function Outlet() {
	const f = here.value;
	const [v, set] = useState<{ view: View; pattern: string } | null>(null);
	const [bad, setBad] = useState<Error | null>(null);

	useEffect(() => {
		let on = true;
		setBad(null);
		f.load?.().then(m => {
			if (on)
				set({ view: m.default, pattern: f.pattern });
		}, (e: unknown) => {
			if (on)
				setBad(e as Error);
		});
		return () => { on = false; };
	}, [f.pattern]);
	/* a new page: whoever listens hears its name */
	useEffect(() => {
		if (document.activeElement === document.body ||
		    !document.activeElement?.isConnected)
			document.querySelector<HTMLElement>("main h1")?.focus();
	}, [v?.pattern]);
	if (!f.load)
		return <Page title={T.kit.notFound}>
			<Empty icon="help" title={T.kit.noPage} /></Page>;
	if (bad)
		return <Page title={T.kit.failed}><Empty icon="alert"
		    title={T.kit.lost} /></Page>;
	if (!v || v.pattern !== f.pattern)
		return <p class="loading" aria-busy="true">{T.kit.loading}</p>;
	return <Broken at={f.path}><v.view key={f.page} params={f.params}
	    query={f.query} /></Broken>;
}
