/*
 * device_tpm.c: a key in a sealed object of a TPM 2.0, under a primary key
 * that the TPM makes anew from its own seed each time; with a policy where
 * PCRs or a PIN are asked for.  What goes over the bus is encrypted (a session
 * salted with the primary key).  libtss2 is loaded, not linked: a machine
 * without it starts all the same.  In the confined child only.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

#include "base/mem.h"
#include "role/device_inner.h"

enum { PCRS = 24, TCTI = 256, PART = 1024 };

/* FUNCTION(library, name) */
#define FUNCTIONS                                                              \
	FUNCTION(TCTILDR, Tss2_TctiLdr_Initialize)                             \
	FUNCTION(ESYS, Esys_Initialize)                                        \
	FUNCTION(ESYS, Esys_CreatePrimary)                                     \
	FUNCTION(ESYS, Esys_StartAuthSession)                                  \
	FUNCTION(ESYS, Esys_TRSess_SetAttributes)                              \
	FUNCTION(ESYS, Esys_PolicyPCR)                                         \
	FUNCTION(ESYS, Esys_PolicyAuthValue)                                   \
	FUNCTION(ESYS, Esys_PolicyGetDigest)                                   \
	FUNCTION(ESYS, Esys_Create)                                            \
	FUNCTION(ESYS, Esys_Load)                                              \
	FUNCTION(ESYS, Esys_Unseal)                                            \
	FUNCTION(ESYS, Esys_TR_SetAuth)                                        \
	FUNCTION(ESYS, Esys_FlushContext)                                      \
	FUNCTION(ESYS, Esys_Free)                                              \
	FUNCTION(MU, Tss2_MU_TPM2B_PUBLIC_Marshal)                             \
	FUNCTION(MU, Tss2_MU_TPM2B_PUBLIC_Unmarshal)                           \
	FUNCTION(MU, Tss2_MU_TPM2B_PRIVATE_Marshal)                            \
	FUNCTION(MU, Tss2_MU_TPM2B_PRIVATE_Unmarshal)

static struct {
#define FUNCTION(lib, name) __typeof__(name) *name;
	FUNCTIONS
#undef FUNCTION
} tss;

enum library { TCTILDR, ESYS, MU, LIBRARIES };
static const char *const libraries[LIBRARIES] = {"libtss2-tctildr.so.0",
    "libtss2-esys.so.0", "libtss2-mu.so.0"};

struct tpm {
	ESYS_CONTEXT *e;
	ESYS_TR primary, object, session; /* ESYS_TR_NONE: not there */
	TPML_PCR_SELECTION pcrs;	  /* count 0: none */
	bool pin;
	struct trail *t;
};

static err
unavailable(struct trail *t, const char *what, TSS2_RC rc)
{
	trail_set(t, "%s (TPM error 0x%x)", what, (unsigned)rc);
	return err_of(E_UNAVAILABLE);
}

/* Codes of the TPM with the number of a parameter, handle or session in it. */
static err
refused(const struct tpm *k, const char *what, TSS2_RC rc)
{
	TSS2_RC plain = (rc & TPM2_RC_FMT1) != 0 ? rc & 0xbfU : rc;

	if (plain == TPM2_RC_POLICY_FAIL || plain == TPM2_RC_VALUE) {
		trail_set(k->t, "a PCR is not as it was when it was sealed");
		return err_of(E_WRONG_KEY);
	}
	if (plain == TPM2_RC_AUTH_FAIL || plain == TPM2_RC_BAD_AUTH) {
		trail_set(k->t, "the PIN is wrong");
		return err_of(E_DENIED);
	}
	if (plain == TPM2_RC_INTEGRITY || plain == TPM2_RC_SIZE) {
		trail_set(k->t, "it was sealed by another TPM");
		return err_of(E_WRONG_KEY);
	}
	if (rc == TPM2_RC_LOCKOUT) {
		trail_set(k->t, "the TPM is locked: too many wrong PINs");
		return err_of(E_DENIED);
	}
	return unavailable(k->t, what, rc);
}

#define CALL(k, what, x)                                                       \
	do {                                                                   \
		TSS2_RC rc_ = tss.x;                                           \
		if (rc_ != TSS2_RC_SUCCESS)                                    \
			return refused((k), (what), rc_);                      \
	} while (0)

static err
load(struct trail *t)
{
	void *lib[LIBRARIES], *sym;

	/* What went wrong is for us to say. */
	(void)setenv("TSS2_LOG", "all+NONE", 1);
	for (size_t i = 0; i < LIBRARIES; i++) {
		lib[i] = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
		if (lib[i] == NULL) {
			trail_set(t, "%s is not there: install it",
			    libraries[i]);
			return err_of(E_UNAVAILABLE);
		}
	}
#define FUNCTION(in, name)                                                     \
	sym = dlsym(lib[in], #name);                                           \
	memcpy(&tss.name, &sym, sizeof sym);                                   \
	if (sym == NULL) {                                                     \
		trail_set(t, "%s has no %s", libraries[in], #name);            \
		return err_of(E_UNAVAILABLE);                                  \
	}
	FUNCTIONS
#undef FUNCTION
	return OK;
}

/* ---- what is asked for ---- */

/* "7,11"; "-": none. */
static bool
pcrs_parse(struct str list, TPML_PCR_SELECTION *ret)
{
	TPMS_PCR_SELECTION *s = &ret->pcrSelections[0];

	*ret = (TPML_PCR_SELECTION){.count = 0};
	if (str_is(list, "-"))
		return true;
	ret->count = 1;
	s->hash = TPM2_ALG_SHA256;
	s->sizeofSelect = PCRS / 8;
	while (list.n > 0) {
		struct str one;
		uint64_t v;

		(void)str_cut(list, ',', &one, &list);
		if (!str_u64(one, 0, PCRS - 1, &v))
			return false;
		s->pcrSelect[v / 8] |= (BYTE)(1U << v % 8);
	}
	return true;
}

static err
begin(struct tpm *k, const struct device_job *j)
{
	TSS2_TCTI_CONTEXT *tcti = NULL;
	char name[TCTI];
	TSS2_RC rc;

	if (!pcrs_parse(j->b, &k->pcrs)) {
		trail_set(k->t, "PCRs are numbers from 0 to 23, as 7,11");
		return err_of(E_INVALID);
	}
	if (j->a.n >= sizeof name)
		return err_of(E_INVALID);
	memcpy(name, j->a.p, j->a.n);
	name[j->a.n] = '\0';
	TRY(load(k->t));
	rc = tss.Tss2_TctiLdr_Initialize(name, &tcti);
	if (rc == TSS2_RC_SUCCESS)
		rc = tss.Esys_Initialize(&k->e, tcti, NULL);
	if (rc != TSS2_RC_SUCCESS)
		return unavailable(k->t, "there is no TPM to talk to", rc);
	return OK;
}

/* ---- keys and sessions ---- */

static const TPMT_SYM_DEF bus = {.algorithm = TPM2_ALG_AES,
    .keyBits = {.aes = 128},
    .mode = {.aes = TPM2_ALG_CFB}};

/* The usual storage key (TCG's template H-2, ECC P-256), of the owner. */
static TPM2B_PUBLIC
storage_key(void)
{
	TPM2B_PUBLIC p = {.size = 0};
	TPMS_ECC_PARMS *e = &p.publicArea.parameters.eccDetail;

	p.publicArea.type = TPM2_ALG_ECC;
	p.publicArea.nameAlg = TPM2_ALG_SHA256;
	p.publicArea.objectAttributes = TPMA_OBJECT_FIXEDTPM |
	    TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
	    TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
	    TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
	e->symmetric.algorithm = TPM2_ALG_AES;
	e->symmetric.keyBits.aes = 128;
	e->symmetric.mode.aes = TPM2_ALG_CFB;
	e->scheme.scheme = TPM2_ALG_NULL;
	e->curveID = TPM2_ECC_NIST_P256;
	e->kdf.scheme = TPM2_ALG_NULL;
	return p;
}

static err
primary(struct tpm *k)
{
	const TPM2B_PUBLIC like = storage_key();
	static const TPM2B_SENSITIVE_CREATE nothing;
	static const TPM2B_DATA outside;
	static const TPML_PCR_SELECTION none;
	TPM2B_PUBLIC *pub = NULL;
	TPM2B_CREATION_DATA *data = NULL;
	TPM2B_DIGEST *hash = NULL;
	TPMT_TK_CREATION *ticket = NULL;

	CALL(k, "TPM2_CreatePrimary",
	    Esys_CreatePrimary(k->e, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
		ESYS_TR_NONE, ESYS_TR_NONE, &nothing, &like, &outside, &none,
		&k->primary, &pub, &data, &hash, &ticket));
	tss.Esys_Free(pub);
	tss.Esys_Free(data);
	tss.Esys_Free(hash);
	tss.Esys_Free(ticket);
	return OK;
}

static err
session(const struct tpm *k, TPM2_SE type, ESYS_TR *ret)
{
	const TPMA_SESSION how = TPMA_SESSION_CONTINUESESSION |
	    TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;

	CALL(k, "TPM2_StartAuthSession",
	    Esys_StartAuthSession(k->e, k->primary, ESYS_TR_NONE, ESYS_TR_NONE,
		ESYS_TR_NONE, ESYS_TR_NONE, NULL, type, &bus, TPM2_ALG_SHA256,
		ret));
	if (type != TPM2_SE_TRIAL)
		CALL(k, "session",
		    Esys_TRSess_SetAttributes(k->e, *ret, how, 0xff));
	return OK;
}

static err
policy(const struct tpm *k, ESYS_TR s)
{
	static const TPM2B_DIGEST as_now;

	if (k->pcrs.count > 0)
		CALL(k, "TPM2_PolicyPCR",
		    Esys_PolicyPCR(k->e, s, ESYS_TR_NONE, ESYS_TR_NONE,
			ESYS_TR_NONE, &as_now, &k->pcrs));
	if (k->pin)
		CALL(k, "TPM2_PolicyAuthValue",
		    Esys_PolicyAuthValue(k->e, s, ESYS_TR_NONE, ESYS_TR_NONE,
			ESYS_TR_NONE));
	return OK;
}

/* ---- make ---- */

static err
digest_of(const struct tpm *k, TPM2B_DIGEST *ret)
{
	TPM2B_DIGEST *d = NULL;
	ESYS_TR s;

	TRY(session(k, TPM2_SE_TRIAL, &s));
	TRY(policy(k, s));
	CALL(k, "TPM2_PolicyGetDigest",
	    Esys_PolicyGetDigest(k->e, s, ESYS_TR_NONE, ESYS_TR_NONE,
		ESYS_TR_NONE, &d));
	*ret = *d;
	tss.Esys_Free(d);
	CALL(k, "TPM2_FlushContext", Esys_FlushContext(k->e, s));
	return OK;
}

static err
parts_out(const struct tpm *k, const TPM2B_PUBLIC *pub,
    const TPM2B_PRIVATE *priv, struct buf *ret)
{
	uint8_t b[PART];
	size_t n = 0;

	CALL(k, "marshal", Tss2_MU_TPM2B_PUBLIC_Marshal(pub, b, sizeof b, &n));
	buf_be16(ret, (uint16_t)n);
	buf_add(ret, b, n);
	n = 0;
	CALL(k, "marshal",
	    Tss2_MU_TPM2B_PRIVATE_Marshal(priv, b, sizeof b, &n));
	buf_be16(ret, (uint16_t)n);
	buf_add(ret, b, n);
	return buf_check(ret);
}

static err
sensitive(const struct device_job *j, TPM2B_SENSITIVE_CREATE *ret)
{
	TPMS_SENSITIVE_CREATE *s = &ret->sensitive;

	if (j->pin.n > 32) /* the digest of the name's algorithm */
		return err_of(E_INVALID);
	s->userAuth.size = (UINT16)j->pin.n;
	if (j->pin.n > 0)
		memcpy(s->userAuth.buffer, j->pin.p, j->pin.n);
	s->data.size = SECRET_SIZE;
	memcpy(s->data.buffer, j->key, SECRET_SIZE);
	return OK;
}

/* Guesses of a PIN count against the TPM's lockout; nothing else does. */
static err
seal(struct tpm *k, const struct device_job *j, struct buf *ret)
{
	static const TPM2B_DATA outside;
	static const TPML_PCR_SELECTION none;
	TPM2B_SENSITIVE_CREATE in = {.size = 0};
	TPM2B_PUBLIC like = {.size = 0};
	TPMT_PUBLIC *area = &like.publicArea;
	TPM2B_PUBLIC *pub = NULL;
	TPM2B_PRIVATE *priv = NULL;
	TPM2B_CREATION_DATA *data = NULL;
	TPM2B_DIGEST *hash = NULL;
	TPMT_TK_CREATION *ticket = NULL;
	TSS2_RC rc;

	area->type = TPM2_ALG_KEYEDHASH;
	area->nameAlg = TPM2_ALG_SHA256;
	area->parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
	area->objectAttributes = TPMA_OBJECT_FIXEDTPM |
	    TPMA_OBJECT_FIXEDPARENT | (k->pin ? 0 : TPMA_OBJECT_NODA);
	if (k->pin || k->pcrs.count > 0)
		TRY(digest_of(k, &area->authPolicy));
	else
		area->objectAttributes |= TPMA_OBJECT_USERWITHAUTH;
	TRY(session(k, TPM2_SE_HMAC, &k->session));
	TRY(sensitive(j, &in));
	rc = tss.Esys_Create(k->e, k->primary, k->session, ESYS_TR_NONE,
	    ESYS_TR_NONE, &in, &like, &outside, &none, &priv, &pub, &data,
	    &hash, &ticket);
	mem_wipe(&in, sizeof in);
	if (rc != TSS2_RC_SUCCESS)
		return refused(k, "TPM2_Create", rc);
	return parts_out(k, pub, priv, ret);
}

/* ---- open ---- */

static err
unseal(struct tpm *k, const struct device_job *j, struct buf *ret)
{
	TPM2B_PUBLIC pub = {.size = 0};
	TPM2B_PRIVATE priv = {.size = 0};
	TPM2B_AUTH pin = {.size = (UINT16)j->pin.n};
	TPM2B_SENSITIVE_DATA *data = NULL;
	bool by_policy = k->pin || k->pcrs.count > 0;
	size_t at = 0;
	err e;

	CALL(k, "it is damaged",
	    Tss2_MU_TPM2B_PUBLIC_Unmarshal((const uint8_t *)j->held[0].p,
		j->held[0].n, &at, &pub));
	at = 0;
	CALL(k, "it is damaged",
	    Tss2_MU_TPM2B_PRIVATE_Unmarshal((const uint8_t *)j->held[1].p,
		j->held[1].n, &at, &priv));
	CALL(k, "TPM2_Load",
	    Esys_Load(k->e, k->primary, ESYS_TR_PASSWORD, ESYS_TR_NONE,
		ESYS_TR_NONE, &priv, &pub, &k->object));
	if (j->pin.n > 32)
		return err_of(E_DENIED);
	if (j->pin.n > 0)
		memcpy(pin.buffer, j->pin.p, j->pin.n);
	CALL(k, "PIN", Esys_TR_SetAuth(k->e, k->object, &pin));
	TRY(session(k, by_policy ? TPM2_SE_POLICY : TPM2_SE_HMAC, &k->session));
	if (by_policy)
		TRY(policy(k, k->session));
	CALL(k, "TPM2_Unseal",
	    Esys_Unseal(k->e, k->object, k->session, ESYS_TR_NONE, ESYS_TR_NONE,
		&data));
	buf_add(ret, data->buffer, data->size);
	e = err_of(data->size == SECRET_SIZE ? E_OK : E_CORRUPT);
	mem_wipe(data->buffer, sizeof data->buffer);
	return err_ok(e) ? buf_check(ret) : e;
}

/* A TPM without a resource manager forgets nothing by itself. */
static void
forget(const struct tpm *k)
{
	const ESYS_TR all[] = {k->session, k->object, k->primary};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i] != ESYS_TR_NONE)
			(void)tss.Esys_FlushContext(k->e, all[i]);
}

err
device_tpm2(const struct device_job *j, struct trail *t, struct buf *ret)
{
	struct tpm k = {.t = t,
	    .pin = j->has_pin,
	    .primary = ESYS_TR_NONE,
	    .object = ESYS_TR_NONE,
	    .session = ESYS_TR_NONE};
	err e;

	TRY(begin(&k, j));
	e = primary(&k);
	if (err_ok(e))
		e = j->key != NULL ? seal(&k, j, ret) : unseal(&k, j, ret);
	forget(&k);
	return e;
}
