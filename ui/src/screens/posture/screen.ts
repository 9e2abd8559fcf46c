import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "posture",
	routes: { "/posture": () => import("./posture.tsx") },
	nav: [{ section: "evidence", order: 20, path: "/posture",
		label: T.posture.title, icon: "posture", perm: "posture.view",
		key: "g p" }],
});
