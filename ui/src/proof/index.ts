/* Verification of the audit log without trusting the server. */
export { Bad, hasEd25519, toBase64, toHex } from "./bytes.ts";
export { cosigned, logKey, openCheckpoint, openNote, witnessKey,
    type Checkpoint, type Key } from "./note.ts";
export { extends_, includes, leafHash, parseGrowth, parseInclusion }
    from "./tree.ts";
export { verifyExport, type Verdict } from "./export.ts";
