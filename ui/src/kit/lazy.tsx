/* lazy.tsx: a component that comes when it is needed. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

export function lazy<P extends object>(load: () =>
    Promise<{ default: ComponentType<P> }>): ComponentType<P> {
	let got: ComponentType<P> | null = null;
	return function Lazy(props: P) {
		const [C, set] = useState<{ c: ComponentType<P> } | null>(
		    got && { c: got });
		useEffect(() => {
			if (!got)
				void load().then(m => {
					got = m.default;
					set({ c: m.default });
				});
		}, []);
		return C ? <C.c {...props} /> : null;
	};
}
