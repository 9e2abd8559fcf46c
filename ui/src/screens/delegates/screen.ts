import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "delegates",
	routes: { "/p/:project/delegates": () => import("./delegates.tsx") },
	nav: [{ section: "setup", order: 20, path: "/p/:project/delegates",
		label: T.delegates.title, icon: "network", perm: "delegate.view",
		key: "g d" }],
});
