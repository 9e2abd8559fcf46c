/*
 * op.mjs CONFIG.json: npm oidc-provider over TLS.
 *
 * CONFIG: {port, issuer, tls_key, tls_cert (PEM files), jwks (file to write
 *	    the public keys to), clients: [oidc-provider's client metadata],
 *	    machines: [scopes that programs can ask for]}
 *
 * Signs with RS256, PS256, ES256 or EdDSA as the client says.  Anybody signs
 * in with any password; the name is the subject.
 */
import { createServer } from "node:https";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

/* what Debian's Node 18 does not have yet */
URL.parse ??= (u, base) => URL.canParse(u, base) ? new URL(u, base) : null;
const { default: Provider } = await import("oidc-provider");

const conf = JSON.parse(readFileSync(process.argv[2]));

function make(kid, alg, type, options) {
	const pair = generateKeyPairSync(type, options);
	const more = { kid, alg, use: "sig" };

	return [{ ...pair.privateKey.export({ format: "jwk" }), ...more },
		{ ...pair.publicKey.export({ format: "jwk" }), ...more }];
}
const keys = [
	make("r", "RS256", "rsa", { modulusLength: 2048 }),
	make("p", "PS256", "rsa", { modulusLength: 2048 }),
	make("e", "ES256", "ec", { namedCurve: "P-256" }),
	make("d", "EdDSA", "ed25519"),
];
writeFileSync(conf.jwks, JSON.stringify({ keys: keys.map((k) => k[1]) }));

const provider = new Provider(conf.issuer, {
	clients: conf.clients,
	jwks: { keys: keys.map((k) => k[0]) },
	enabledJWA: { idTokenSigningAlgValues:
	    ["RS256", "PS256", "ES256", "EdDSA"] },
	responseTypes: ["code", "id_token"],
	pkce: { required: () => true },
	/* as most providers do: claims in the id_token of a code flow too */
	conformIdTokenClaims: false,
	claims: {
		openid: ["sub"], email: ["email"], profile: ["name"],
		groups: ["groups"],
	},
	scopes: ["openid", "email", "profile", "groups",
	    ...(conf.machines ?? []),
	    ...(conf.machines ? ["offline_access"] : [])],
	cookies: { keys: ["for these tests only"] },
	features: {
		devInteractions: { enabled: true },
		backchannelLogout: { enabled: true },
		rpInitiatedLogout: { enabled: true },
		clientCredentials: { enabled: Boolean(conf.machines) },
		introspection: { enabled: Boolean(conf.machines) },
	},
	async findAccount(ctx, id) {
		return { accountId: id, async claims() {
			return { sub: id, email: id + "@example.org",
				name: id + " of the OP",
				groups: id === "alice" ? ["ops", "everyone"]
						       : ["everyone"] };
		} };
	},
});
provider.on("server_error", (ctx, err) => console.error(err));
createServer({ key: readFileSync(conf.tls_key),
    cert: readFileSync(conf.tls_cert) }, provider.callback())
	.listen(conf.port, "127.0.0.1", () => console.log("ready"));
