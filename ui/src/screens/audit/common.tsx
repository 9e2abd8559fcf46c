/* common.tsx: what the pages of the log share. */
import { Tabs } from "../../kit/bits.tsx";
import { Person } from "../../kit/person.tsx";
import { T } from "../../text/index.ts";

export interface Entry { seq: number; time: string; action: string;
	outcome: string; reason: string | null; project: string | null;
	principal: { kind: string; id: string | null;
	    credential: string | null };
	resource: { type: string; id: string }[]; request_id: string | null;
	address: string | null; count: number; leaf: string }

type Resource = Entry["resource"][number];
export const hasName = (r: Resource): boolean =>
	["user", "group", "service_account"].includes(r.type);
export const About = ({ r }: { r: Resource }) => hasName(r) ?
	<Person id={r.id} /> : <code>{r.id}</code>;

export const AuditTabs = ({ at }: { at: string }) =>
	<Tabs label={T.audit.title} at={at} tabs={[
	    ["/audit", T.audit.entries], ["/audit/reviews", T.audit.reviews],
	    ["/audit/witnesses", T.audit.witnesses],
	    ["/audit/verify", T.audit.verify]]} />;

export const Outcome = ({ value }: { value: string }) =>
	<span class={`pill ${value === "ok" ? "st-ok" : value === "intent" ?
	    "st-pending" : "st-denied"}`}>
		{T.audit.outcomes[value as "ok"] ?? value}</span>;
