import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "idps",
	routes: { "/admin/idps": () => import("./idps.tsx") },
	nav: [{ section: "admin", order: 75, path: "/admin/idps",
		label: T.idps.title, icon: "plug", perm: "idp.view" }],
});
