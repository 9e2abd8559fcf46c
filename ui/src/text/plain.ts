/* plain.ts: text of others.  What would turn it round (bidi) or hide in it
 * (controls, zero width) is shown as what it is. */
export const HIDDEN = new RegExp("[\\u0000-\\u0008\\u000b-\\u001f" +
    "\\u007f-\\u009f\\u00ad\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e" +
    "\\u115f\\u1160\\u180e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff9-\\ufffb" +
    "\\u{e0000}-\\u{e007f}]", "gu");

export const codePoint = (c: string): string => "U+" +
    (c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");

/* For names of attributes, options, titles; <Plain> for all else. */
export const plain = (text: string): string => text.search(HIDDEN) < 0 ?
    text : text.replace(HIDDEN, c => `[${codePoint(c)}]`);
