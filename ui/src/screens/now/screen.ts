import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "now",
	routes: { "/": () => import("./now.tsx") },
	nav: [{ section: "work", order: 10, path: "/", label: T.now.title,
		icon: "board", key: "g n" }],
});
