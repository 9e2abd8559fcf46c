import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "keyring",
	routes: { "/keys": () => import("./keys.tsx") },
	nav: [{ section: "evidence", order: 50, path: "/keys",
		label: T.keyring.title, icon: "key",
		perm: ["key.view", "key.seal"] }],
});
