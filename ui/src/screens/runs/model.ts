/* model.ts: a run as the API has it. */
import type { Obj } from "../runbooks/tree.ts";

export interface Decision { user: string; name: string | null;
	decision: "approve" | "reject"; at: string; seq: number; note: string }
export interface Waiting { instructions?: string; message?: string;
	assignee?: { kind: string; id: string } | null; count?: number;
	approvers?: { kind: string; id: string }[]; digest?: string;
	until: string | null }
export interface RunStep { id: string; kind: string; name: string | null;
	path: string; undo: boolean; state: string; code: string | null;
	attempt: number; began: boolean; started_at: string | null;
	ended_at: string | null; task: string | null; completed_by?: string;
	note?: string; outputs?: Obj; decisions?: Decision[];
	waiting_for?: Waiting; until?: string | null }
export interface RunHead { id: string; state: string;
	runbook: { id: string; slug: string | null; name: string | null;
	    version: number };
	requester: { kind: string; id: string; name: string | null };
	trigger: string | null; incident: string | null; alert: string | null;
	created_at: string; started_at: string | null; ended_at: string | null;
	expires_on?: string | null }
export interface Run extends RunHead { digest: string; code: string | null;
	stopping: boolean; undo_failed: boolean; frozen: boolean;
	deadline: string | null; depth: number; inputs: Obj; outputs: Obj | null;
	steps: RunStep[] }

export const STATES = ["queued", "running", "undoing", "succeeded", "failed",
    "cancelled"];
export const isOver = (state: string): boolean =>
	["succeeded", "failed", "cancelled"].includes(state);
