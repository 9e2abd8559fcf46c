/*
 * device_p11.c: a key that an AES key of a PKCS#11 token encrypts (AES-GCM).
 * The token's key is made there, is sensitive and not extractable.  In the
 * confined child only.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rand.h"
#include "role/device_inner.h"

enum { IV = 12, TAG = 16, SLOTS = 32, LABEL = 32, PATH = 1024 };

static unsigned char aad[] = "redoubt-root-unlock-1";

struct token {
	CK_FUNCTION_LIST *f;
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE key;
	struct trail *t;
};

static err
failed(const struct token *k, const char *what, CK_RV rv)
{
	switch (rv) {
	case CKR_PIN_INCORRECT:
	case CKR_PIN_INVALID:
	case CKR_PIN_LEN_RANGE:
		trail_set(k->t, "the PIN is wrong");
		return err_of(E_DENIED);
	case CKR_PIN_LOCKED:
		trail_set(k->t, "the PIN is locked");
		return err_of(E_DENIED);
	case CKR_ENCRYPTED_DATA_INVALID:
	case CKR_ENCRYPTED_DATA_LEN_RANGE:
		trail_set(k->t, "the key of the token is another one");
		return err_of(E_WRONG_KEY);
	default:
		trail_set(k->t, "%s: PKCS#11 error 0x%lx", what,
		    (unsigned long)rv);
		return err_of(E_UNAVAILABLE);
	}
}

#define CALL(k, what, x)                                                       \
	do {                                                                   \
		CK_RV rv_ = (k)->f->x;                                         \
		if (rv_ != CKR_OK)                                             \
			return failed((k), (what), rv_);                       \
	} while (0)

/* ---- the module ---- */

/* Foreign code with our key at hand: nobody but root or we may have put it
 * there. */
static bool
trusted(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_uid == 0 || st.st_uid == geteuid()) &&
	    (st.st_mode & 022) == 0;
}

static err
load(struct token *k, struct str module)
{
	CK_C_GetFunctionList get = NULL;
	char path[PATH];
	void *lib = NULL, *sym = NULL;

	if (module.n < sizeof path) {
		memcpy(path, module.p, module.n);
		path[module.n] = '\0';
		if (trusted(path))
			lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	}
	if (lib != NULL)
		sym = dlsym(lib, "C_GetFunctionList");
	memcpy(&get, &sym, sizeof get);
	if (get == NULL || get(&k->f) != CKR_OK) {
		trail_set(k->t,
		    "%.*s is no PKCS#11 module that only root or we can "
		    "change",
		    STR_ARG(str_head(module, 100)));
		return err_of(E_UNAVAILABLE);
	}
	CALL(k, "C_Initialize", C_Initialize(NULL));
	return OK;
}

static bool
labelled(const CK_TOKEN_INFO *i, struct str label)
{
	size_t n = LABEL;

	while (n > 0 && i->label[n - 1] == ' ')
		n--;
	return str_eq(str_of((const char *)i->label, n), label);
}

static err
session(struct token *k, const struct device_job *j)
{
	CK_SLOT_ID slot[SLOTS];
	CK_ULONG n = SLOTS;
	CK_TOKEN_INFO info;

	CALL(k, "C_GetSlotList", C_GetSlotList(CK_TRUE, slot, &n));
	for (CK_ULONG i = 0; i < n; i++) {
		if (k->f->C_GetTokenInfo(slot[i], &info) != CKR_OK ||
		    !labelled(&info, j->b))
			continue;
		CALL(k, "C_OpenSession",
		    C_OpenSession(slot[i],
			CKF_SERIAL_SESSION |
			    (j->key != NULL ? CKF_RW_SESSION : 0),
			NULL, NULL, &k->s));
		if (!j->has_pin)
			return OK;
		CALL(k, "C_Login",
		    C_Login(k->s, CKU_USER,
			(unsigned char *)(uintptr_t)j->pin.p, j->pin.n));
		return OK;
	}
	trail_set(k->t, "there is no token %.*s: is it plugged in?",
	    STR_ARG(str_head(j->b, LABEL)));
	return err_of(E_UNAVAILABLE);
}

/* ---- its key ---- */

static err
find(struct token *k, struct str label, bool *ret)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_ATTRIBUTE a[] = {{CKA_CLASS, &class, sizeof class},
	    {CKA_KEY_TYPE, &type, sizeof type},
	    {CKA_LABEL, (void *)(uintptr_t)label.p, label.n}};
	CK_OBJECT_HANDLE found[2];
	CK_ULONG n = 0;

	CALL(k, "C_FindObjectsInit", C_FindObjectsInit(k->s, a, 3));
	CALL(k, "C_FindObjects", C_FindObjects(k->s, found, 2, &n));
	CALL(k, "C_FindObjectsFinal", C_FindObjectsFinal(k->s));
	if (n > 1) {
		trail_set(k->t, "the token has two keys of that label");
		return err_of(E_UNAVAILABLE);
	}
	*ret = n == 1;
	k->key = n == 1 ? found[0] : 0;
	return OK;
}

static err
generate(struct token *k, struct str label)
{
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ULONG size = SECRET_SIZE;
	CK_ATTRIBUTE a[] = {{CKA_TOKEN, &yes, sizeof yes},
	    {CKA_PRIVATE, &yes, sizeof yes}, {CKA_SENSITIVE, &yes, sizeof yes},
	    {CKA_EXTRACTABLE, &no, sizeof no}, {CKA_ENCRYPT, &yes, sizeof yes},
	    {CKA_DECRYPT, &yes, sizeof yes},
	    {CKA_LABEL, (void *)(uintptr_t)label.p, label.n},
	    {CKA_VALUE_LEN, &size, sizeof size}};

	CALL(k, "C_GenerateKey",
	    C_GenerateKey(k->s, &m, a, sizeof a / sizeof *a, &k->key));
	return OK;
}

static err
wrap(struct token *k, const uint8_t *key, struct buf *ret)
{
	uint8_t iv[IV], out[SECRET_SIZE + TAG];
	struct ck_gcm_params p = {iv, IV, IV * 8, aad, sizeof aad - 1, TAG * 8};
	CK_MECHANISM m = {CKM_AES_GCM, &p, sizeof p};
	CK_ULONG n = sizeof out;

	rand_bytes(iv, sizeof iv);
	CALL(k, "C_EncryptInit", C_EncryptInit(k->s, &m, k->key));
	CALL(k, "C_Encrypt",
	    C_Encrypt(k->s, (unsigned char *)(uintptr_t)key, SECRET_SIZE, out,
		&n));
	if (n != sizeof out)
		return err_of(E_UNAVAILABLE);
	buf_be16(ret, IV + sizeof out);
	buf_add(ret, iv, IV);
	buf_add(ret, out, sizeof out);
	return buf_check(ret);
}

static err
unwrap(struct token *k, struct str held, struct buf *ret)
{
	uint8_t in[IV + SECRET_SIZE + TAG], out[SECRET_SIZE + TAG];
	struct ck_gcm_params p = {in, IV, IV * 8, aad, sizeof aad - 1, TAG * 8};
	CK_MECHANISM m = {CKM_AES_GCM, &p, sizeof p};
	CK_ULONG n = sizeof out;
	CK_RV rv;

	if (held.n != sizeof in)
		return err_of(E_CORRUPT);
	memcpy(in, held.p, held.n);
	CALL(k, "C_DecryptInit", C_DecryptInit(k->s, &m, k->key));
	rv = k->f->C_Decrypt(k->s, in + IV, SECRET_SIZE + TAG, out, &n);
	if (rv == CKR_OK && n == SECRET_SIZE)
		buf_add(ret, out, SECRET_SIZE);
	mem_wipe(out, sizeof out);
	if (rv == CKR_GENERAL_ERROR || rv == CKR_DATA_INVALID)
		rv = CKR_ENCRYPTED_DATA_INVALID; /* SoftHSM, of a wrong tag */
	return rv != CKR_OK ? failed(k, "C_Decrypt", rv) : buf_check(ret);
}

err
device_pkcs11(const struct device_job *j, struct trail *t, struct buf *ret)
{
	struct token k = {.t = t};
	bool there = false;

	TRY(load(&k, j->a));
	TRY(session(&k, j));
	TRY(find(&k, j->c, &there));
	if (!there && j->key == NULL) {
		trail_set(t, "the token has no key %.*s",
		    STR_ARG(str_head(j->c, LABEL)));
		return err_of(E_WRONG_KEY);
	}
	if (!there)
		TRY(generate(&k, j->c));
	TRY(j->key != NULL ? wrap(&k, j->key, ret)
			   : unwrap(&k, j->held[0], ret));
	(void)k.f->C_Finalize(NULL);
	return OK;
}
