import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "declare",
	routes: { "/p/:project/declare": () => import("./declare.tsx") },
	commands: [{ id: "declare", label: T.nav.declare, key: "c",
		path: "/p/:project/declare", perm: "incident.create",
		keywords: T.declare.words }],
});
