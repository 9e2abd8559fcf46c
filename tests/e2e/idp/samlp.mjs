/*
 * samlp.mjs CONFIG.json: npm samlp as an identity provider, one mode a path:
 * /sso/assertion, /sso/response, /sso/both, /sso/encrypted (aes256-gcm).
 * GET shows a form; its POST signs in whoever says so.
 *
 * CONFIG: {port, issuer, key, cert (PEM files), sp: {ACS URLs by entity id},
 *	    encryption: {PEM certificates by entity id}}
 */
import express from "express";
import { readFileSync } from "node:fs";
import { createPublicKey } from "node:crypto";
import samlp from "samlp";

const conf = JSON.parse(readFileSync(process.argv[2]));
const key = readFileSync(conf.key), cert = readFileSync(conf.cert);
const modes = {
	assertion: { signAssertion: true, signResponse: false },
	response: { signAssertion: false, signResponse: true },
	both: { signAssertion: true, signResponse: true },
	encrypted: { signAssertion: true, signResponse: true, encrypt: true },
};
const people = (name) => ({
	id: "second-" + name,
	emails: [{ value: name + "@example.org" }],
	displayName: name + " of samlp",
	name: { givenName: name, familyName: "Second" },
	groups: name === "alice" ? ["ops", "everyone"] : ["everyone"],
});

/* What the SP registered as of now: tests add to it while this runs. */
const sps = () => JSON.parse(readFileSync(process.argv[2]));

const escape = (s) => s.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const app = express();
app.use(express.urlencoded({ extended: false }));

app.get("/sso/:mode", (req, res) => {
	const q = escape(req.originalUrl);

	res.send(`<form method="post" action="${q}">
		<input name="username"><input name="password" type="password">
		<button type="submit">Sign in</button></form>`);
});

app.post("/sso/:mode", (req, res, next) => {
	const mode = modes[req.params.mode];

	if (!mode || req.body.password !== "secret")
		return res.status(403).send("no");
	req.user = people(req.body.username);
	samlp.parseRequest(req, (err, data) => {
		if (err)
			return next(err);
		const entity = data ? data.issuer : req.query.sp;
		const acs = sps().sp[entity];
		const opts = {
			issuer: conf.issuer, key, cert,
			signAssertion: mode.signAssertion,
			signResponse: mode.signResponse,
			getPostURL: (a, doc, r, cb) => cb(null, acs),
			audience: entity, recipient: acs, destination: acs,
			nameIdentifierFormat: "urn:oasis:names:tc:SAML:2.0:" +
			    "nameid-format:persistent",
			sessionIndex: "s-" + req.body.username,
			lifetimeInSeconds: 300,
		};
		if (mode.encrypt) {
			const pem = sps().encryption[entity];

			opts.encryptionCert = pem;
			opts.encryptionPublicKey = createPublicKey(pem)
				.export({ type: "spki", format: "pem" });
			opts.encryptionAlgorithm =
			    "http://www.w3.org/2009/xmlenc11#aes256-gcm";
			opts.disallowEncryptionWithInsecureAlgorithm = true;
		}
		samlp.auth(opts)(req, res, next);
	});
});

app.get("/metadata", samlp.metadata({
	issuer: conf.issuer, cert,
	redirectEndpointPath: "/sso/assertion",
	postEndpointPath: "/sso/assertion",
}));

app.listen(conf.port, "127.0.0.1", () => console.log("ready"));
