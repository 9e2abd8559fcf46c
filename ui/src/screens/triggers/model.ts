/* model.ts: a trigger as the API has it. */
import type { Json } from "../runbooks/tree.ts";

export interface Trigger { id: string; name: string; runbook: string | null;
	service_account: string; enabled: boolean; on: string; when: Json;
	delay_s: number | null; recheck: Json; cron: string | null;
	time_zone: string | null; inputs: Json; guard: Json;
	owner: { kind: string; id: string };
	/* of one of them only */
	next_at?: string | null; last_fired_at?: string | null;
	fired_in_hour?: number; refused?: number; last_refused_at?: string | null;
	last_refusal?: string | null }

export const HAPPENINGS = ["alert_opened", "alert_resolved",
    "incident_created", "incident_updated", "key_event", "schedule"] as const;
export const MEMBERS = ["name", "runbook", "service_account", "on", "when",
    "delay_s", "recheck", "cron", "time_zone", "inputs", "guard"];
