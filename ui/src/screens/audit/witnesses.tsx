/* witnesses.tsx: whose cosignatures count. */
import { Crud } from "../../kit/crud.tsx";
import { Ago } from "../../kit/bits.tsx";
import { Plain } from "../../kit/plain.tsx";
import { T } from "../../text/index.ts";
import { AuditTabs } from "./common.tsx";

interface Witness { id: string; name: string; key: string;
	last: { size: number; time: string } | null; created_at: string }

export default function Witnesses() {
	return <Crud<Witness> title={T.audit.witnesses}
	    lead={T.audit.witnessesLead} path="/v1/audit/witnesses"
	    perm="audit.witness" events="audit.witness" name={w => w.name}
	    empty={T.audit.noWitnesses} emptyHint={T.audit.noWitnessesHint}
	    createLabel={T.audit.addWitness} noEdit
	    columns={[
		{ label: T.audit.name, cell: w => <Plain text={w.name} /> },
		{ label: T.audit.lastSigned, cell: w => w.last ? <>
			{w.last.size} <span class="dim"><Ago at={w.last.time} />
			</span></> : T.audit.never },
		{ label: T.audit.key, wide: true,
			cell: w => <code>{w.key}</code> }]}
	    fields={[{ name: "key", label: T.audit.witnessKey, required: true,
		hint: T.audit.witnessKeyHint, kind: "mono" }]}>
		<AuditTabs at="/audit/witnesses" />
	</Crud>;
}
