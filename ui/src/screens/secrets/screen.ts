import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "secrets",
	routes: { "/p/:project/secrets": () => import("./secrets.tsx") },
	nav: [{ section: "setup", order: 40, path: "/p/:project/secrets",
		label: T.secrets.title, icon: "key", perm: "secret.view" }],
});
