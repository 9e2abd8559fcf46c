import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "triggers",
	routes: { "/p/:project/triggers": () => import("./triggers.tsx") },
	nav: [{ section: "automation", order: 30, path: "/p/:project/triggers",
		label: T.triggers.title, icon: "zap", perm: "runbook.view",
		key: "g t" }],
});
