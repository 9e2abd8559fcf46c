import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "runs",
	routes: { "/p/:project/runs": () => import("./list.tsx"),
		"/p/:project/runs/:id": () => import("./run.tsx") },
	nav: [{ section: "automation", order: 20, path: "/p/:project/runs",
		label: T.runs.title, icon: "play", perm: "run.view",
		key: "g u" }],
});
