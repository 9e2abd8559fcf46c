/*
 * t_saml_mutate.c: good responses of the corpus, their trees mutated at
 * random: what is still accepted must say what was signed, to the letter.
 * SAML_MUTATIONS says how many (20,000), SAML_SEED where to begin.
 */
#include <libxml/parser.h>
#include <libxml/tree.h>

#include "auth/saml.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "tests/t.h"

enum { CORPUS_MAX = 64 * 1024 * 1024, SEEDS = 64, NODES_MAX = 4096 };

struct seed {
	struct str xml;
	struct saml_provider p;
	struct saml_identity said;
	int64_t now;
};

static struct seed seeds[SEEDS];
static size_t seeds_n;
static struct arena keep, a;
static uint64_t state;

static uint32_t
draw(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16) % n;
}

static struct str
bin(const struct json *j)
{
	struct str s = STR_NONE, out = STR("");

	if (json_str(j, &s) && s.n > 0)
		(void)b64_decode(&keep, s, &out);
	return out;
}

static void
take(struct str line)
{
	static const struct json_limits lim = {8, 100, 10000};
	struct seed *s = &seeds[seeds_n];
	struct trail t = {{0}};
	const struct json *j, *o;
	bool cbc = false;

	if (!err_ok(json_parse(&keep, line, &lim, &t, &j)) ||
	    !str_is(json_str_at(j, STR("expect")), "ok") ||
	    !str_is(json_str_at(j, STR("kind")), "response") ||
	    json_get(j, STR("xml"))->text.n > 16384 || /* many, not large */
	    seeds_n == SEEDS)
		return;
	o = json_get(j, STR("provider"));
	s->xml = bin(json_get(j, STR("xml")));
	(void)json_i64(json_get(j, STR("now")), 0, INT64_MAX, &s->now);
	(void)json_bool(json_get(o, STR("cbc")), &cbc);
	s->p = (struct saml_provider){
	    .entity = json_str_at(o, STR("entity")),
	    .sp_entity = json_str_at(o, STR("sp")),
	    .acs = json_str_at(o, STR("acs")),
	    .request = json_str_at(o, STR("request")),
	    .cbc = cbc,
	};
	for (j = json_first(json_get(o, STR("keys"))); j != NULL; j = j->next)
		s->p.keys[s->p.keys_n++] = bin(j);
	for (j = json_first(json_get(o, STR("decrypt"))); j != NULL;
	     j = j->next)
		s->p.decrypt[s->p.decrypt_n++] = bin(j);
	if (saml_verify(&keep, &s->p, s->xml, s->now, &s->said) == SAML_OK)
		seeds_n++;
}

static void
load(void)
{
	FILE *f = popen("/usr/bin/python3 tests/vectors/saml/gen.py", "r");
	char *text = malloc(CORPUS_MAX);
	struct str rest, line;
	size_t n = 0, got;

	while (f != NULL && text != NULL &&
	    (got = fread(text + n, 1, CORPUS_MAX - n, f)) > 0)
		n += got;
	if (f == NULL || pclose(f) != 0)
		return;
	rest = str_of(text, n);
	while (rest.n > 0) {
		(void)str_cut(rest, '\n', &line, &rest);
		take(line);
	}
}

/* ---- mutations ---- */

static const xmlChar *
xs(const char *s)
{
	return (const xmlChar *)s;
}

static xmlNodePtr node[NODES_MAX];
static size_t nodes;

static void
collect(xmlNodePtr n)
{
	for (; n != NULL; n = n->next) {
		if (n->type == XML_ELEMENT_NODE && nodes < NODES_MAX)
			node[nodes++] = n;
		collect(n->children);
	}
}

static bool
inside(const xmlNode *n, const xmlNode *top)
{
	for (; n != NULL; n = n->parent)
		if (n == top)
			return true;
	return false;
}

static void
place(xmlNodePtr what, xmlNodePtr at)
{
	switch (draw(4)) {
	case 0:
		(void)xmlAddChild(at, what);
		break;
	case 1:
		(void)xmlAddPrevSibling(at, what);
		break;
	case 2:
		(void)xmlAddNextSibling(at, what);
		break;
	default:
		if (at->children != NULL)
			(void)xmlAddPrevSibling(at->children, what);
		else
			(void)xmlAddChild(at, what);
	}
}

static const char *
word(void)
{
	static const char *const words[] = {"admin", "", "2.0", "_a1", "_r1",
	    "#_a1", "ada", "https://evil.example", "_e", "2099-01-01T00:00:00Z",
	    "urn:oasis:names:tc:SAML:2.0:cm:bearer", " ", "x"};

	return words[draw(sizeof words / sizeof *words)];
}

static void
rename_ids(xmlNodePtr n)
{
	if (n->type == XML_ELEMENT_NODE && xmlHasProp(n, xs("ID")))
		(void)xmlSetProp(n, xs("ID"), xs(word()));
	for (n = n->children; n != NULL; n = n->next)
		rename_ids(n);
}

static void
evil_text(xmlNodePtr n)
{
	for (; n != NULL; n = n->next) {
		if (n->type == XML_TEXT_NODE && draw(3) == 0)
			xmlNodeSetContent(n, xs(word()));
		evil_text(n->children);
	}
}

static void
mutate(xmlDocPtr doc)
{
	xmlNodePtr x, y, copy;

	nodes = 0;
	collect(xmlDocGetRootElement(doc));
	if (nodes < 2)
		return;
	x = node[1 + draw((uint32_t)nodes - 1)];
	y = node[1 + draw((uint32_t)nodes - 1)];
	switch (draw(9)) {
	case 0: /* a copy, changed, somewhere: wrapping */
	case 1:
		copy = xmlDocCopyNode(x, doc, 1);
		if (draw(2) != 0)
			rename_ids(copy);
		evil_text(copy->children);
		place(copy, y);
		break;
	case 2: /* moved */
		if (!inside(y, x)) {
			xmlUnlinkNode(x);
			place(x, y);
		}
		break;
	case 3: /* gone */
		xmlUnlinkNode(x);
		xmlFreeNode(x);
		break;
	case 4:
		evil_text(x);
		break;
	case 5:
		(void)xmlSetProp(x, xs(draw(2) != 0 ? "ID" : "InResponseTo"),
		    xs(word()));
		break;
	case 6:
		xmlNodeSetName(x, y->name);
		break;
	case 7:
		if (y->ns != NULL)
			xmlSetNs(x, y->ns);
		break;
	default: /* wrapped in an element of its own kind */
		copy = xmlDocCopyNode(x, doc, 2);
		(void)xmlReplaceNode(x, copy);
		(void)xmlAddChild(copy, x);
	}
	/* what was moved must not point to namespaces of what goes later */
	(void)xmlReconciliateNs(doc, xmlDocGetRootElement(doc));
}

static bool
same(const struct saml_identity *x, const struct saml_identity *y)
{
	if (!str_eq(x->issuer, y->issuer) || !str_eq(x->name_id, y->name_id) ||
	    !str_eq(x->format, y->format) ||
	    !str_eq(x->session_index, y->session_index) ||
	    !str_eq(x->assertion_id, y->assertion_id) ||
	    x->not_on_or_after != y->not_on_or_after ||
	    x->attributes_n != y->attributes_n)
		return false;
	for (size_t i = 0; i < x->attributes_n; i++) {
		const struct saml_attribute *p = &x->attributes[i];
		const struct saml_attribute *q = &y->attributes[i];

		if (!str_eq(p->name, q->name) || p->n != q->n)
			return false;
		for (size_t k = 0; k < p->n; k++)
			if (!str_eq(p->value[k], q->value[k]))
				return false;
	}
	return true;
}

/* accepted, and as it was signed? */
static void
one(int *accepted, int64_t *worst)
{
	struct seed *s = &seeds[draw((uint32_t)seeds_n)];
	struct saml_identity id;
	xmlChar *text = NULL;
	xmlDocPtr doc = xmlReadMemory(s->xml.p, (int)s->xml.n, NULL, "UTF-8",
	    XML_PARSE_NONET);
	int64_t start;
	int n = 0;

	if (doc == NULL)
		return;
	for (uint32_t k = 0, many = 1 + draw(3); k < many; k++)
		mutate(doc);
	xmlDocDumpMemory(doc, &text, &n);
	xmlFreeDoc(doc);
	start = time_mono_us();
	if (saml_verify(&a, &s->p, str_of((const char *)text, (size_t)n),
		s->now, &id) == SAML_OK) {
		(*accepted)++;
		if (!same(&id, &s->said))
			T_FAIL("FORGED: %.*s", n, (const char *)text);
	}
	start = time_mono_us() - start;
	*worst = start > *worst ? start : *worst;
	xmlFree(text);
	arena_reset(&a);
}

static int64_t
setting(const char *name, int64_t usual)
{
	const char *s = getenv(name);

	return s == NULL ? usual : atoll(s);
}

TEST(nothing_is_forged)
{
	int64_t n = setting("SAML_MUTATIONS", 20000), worst = 0;
	int accepted = 0;

	state = (uint64_t)setting("SAML_SEED", time_now_ms()) | 1;
	printf("# seed %llu\n", (unsigned long long)state);
	saml_warm();
	arena_init(&keep, 256 * 1024 * 1024);
	arena_init(&a, 64 * 1024 * 1024);
	load();
	T_REQUIRE(seeds_n >= 32);
	for (int64_t i = 0; i < n; i++)
		one(&accepted, &worst);
	printf("# %lld mutations of %zu responses, %d accepted, slowest %lld "
	       "us\n",
	    (long long)n, seeds_n, accepted, (long long)worst);
	arena_done(&a);
	arena_done(&keep);
}

T_MAIN
