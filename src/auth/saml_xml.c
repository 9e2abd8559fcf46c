/* saml_xml.c: XML before and after the parser; see saml_inner.h. */
#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/xmlIO.h>

#include "auth/saml_inner.h"
#include "base/utf8.h"

enum {
	DEPTH = 32,
	NODES = 20000,
	ATTRS = 24,
	IDS = 256,
	PREFIXES = 16,
	SCOPE = 64
};

static struct str
of(const xmlChar *s)
{
	return str_c((const char *)s);
}

/* ---- before the parser ---- */

/* <?xml version="1.0" encoding="UTF-8"?> at the very beginning, in any of its
 * usual spellings; its length, 0 when there is none. */
static size_t
declaration(struct str xml)
{
	static const char *const known[] = {"<?xml version=\"1.0\"?>",
	    "<?xml version='1.0'?>",
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
	    "<?xml version=\"1.0\" encoding=\"utf-8\"?>",
	    "<?xml version='1.0' encoding='UTF-8'?>",
	    "<?xml version='1.0' encoding='utf-8'?>",
	    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>",
	    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>"};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_starts(xml, str_c(known[i])))
			return strlen(known[i]);
	return 0;
}

/* One of the five entities or a character reference. */
static bool
reference(struct str s)
{
	static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;",
	    "&apos;"};
	size_t i = 2;

	for (size_t k = 0; k < sizeof known / sizeof *known; k++)
		if (str_starts(s, str_c(known[k])))
			return true;
	if (!str_starts(s, STR("&#")))
		return false;
	if (i < s.n && s.p[i] == 'x')
		i++;
	for (size_t n = 0; i < s.n && n < 8; i++, n++)
		if (s.p[i] == ';')
			return n > 0;
	return false;
}

/* Where in a tag we are; counts the values of its attributes. */
struct tag {
	bool open;
	unsigned char quote; /* inside a value: what ends it */
	size_t values;
};

static void
tag_take(struct tag *t, unsigned char c)
{
	if (c == '<') /* in a value, too, where the parser gives up */
		*t = (struct tag){.open = true};
	else if (!t->open)
		return;
	else if (c == t->quote)
		t->quote = 0;
	else if (t->quote != 0)
		return;
	else if (c == '>')
		t->open = false;
	else if (c == '"' || c == '\'')
		*t = (struct tag){true, c, t->values + 1};
}

bool
xml_lexical(struct verify *v, struct str xml)
{
	size_t at = declaration(xml);
	struct tag tag = {0};

	CHECK(v, size, xml.n > 0 && xml.n <= SAML_XML_MAX, SAML_ENCODING);
	CHECK(v, utf8, utf8_valid(xml), SAML_ENCODING);
	for (; at < xml.n; at++) {
		unsigned char c = (unsigned char)xml.p[at];
		char next = at + 1 < xml.n ? xml.p[at + 1] : '\0';

		/* DTD, CDATA, comment; processing instruction */
		CHECK(v, markup, c != '<' || next != '!', SAML_LEXICAL);
		CHECK(v, instruction, c != '<' || next != '?', SAML_LEXICAL);
		CHECK(v, entity, c != '&' || reference(str_skip(xml, at)),
		    SAML_LEXICAL);
		CHECK(v, control,
		    (c >= 0x20 || c == '\t' || c == '\n' || c == '\r') &&
			c != 0x7f,
		    SAML_LEXICAL);
		/* the parser compares each attribute with all before it:
		 * 256 KiB of them would take it 1.6 s */
		tag_take(&tag, c);
		CHECK(v, tag_size, tag.values <= ATTRS * 2, SAML_LEXICAL);
	}
	return true;
}

/* ---- after it ---- */

struct walk {
	struct verify *v;
	size_t nodes, ids;
	size_t scope; /* namespaces declared above */
	struct str id[IDS];
};

static bool
is_id_name(struct str name)
{
	return str_is(name, "ID") || str_is(name, "Id") || str_is(name, "id") ||
	    str_is(name, "AssertionID") || str_is(name, "ResponseID");
}

/* One text node, or nothing. */
static bool
attr_value(const xmlAttr *a, struct str *ret)
{
	*ret = STR("");
	if (a->children == NULL)
		return true;
	if (a->children->type != XML_TEXT_NODE || a->children->next != NULL)
		return false;
	*ret = of(a->children->content);
	return true;
}

static bool
look_attr(struct walk *w, const xmlAttr *a)
{
	struct verify *v = w->v;
	struct str name = of(a->name), value;

	CHECK(v, attr_value, attr_value(a, &value), SAML_TREE);
	if (a->ns != NULL && str_is(of(a->ns->prefix), "xml"))
		CHECK(v, attr_xml, str_is(name, "lang"), SAML_TREE);
	if (!is_id_name(name))
		return true;
	CHECK(v, id_namespace, a->ns == NULL, SAML_TREE);
	for (size_t i = 0; i < w->ids; i++)
		CHECK(v, id_unique, !str_eq(w->id[i], value), SAML_TREE);
	CHECK(v, id_many, w->ids < IDS && value.n > 0, SAML_TREE);
	if (w->ids < IDS)
		w->id[w->ids++] = value;
	return true;
}

/* A relative or empty one makes C14N fail, or mean two things. */
static bool
look_namespaces(struct verify *v, const xmlNode *n)
{
	size_t count = 0;

	CHECK(v, namespaced, n->ns != NULL && n->ns->href != NULL, SAML_TREE);
	for (const xmlNs *ns = n->nsDef; ns != NULL; ns = ns->next) {
		CHECK(v, ns_absolute,
		    ns->href != NULL && strchr((const char *)ns->href, ':'),
		    SAML_TREE);
		CHECK(v, ns_many, ++count <= ATTRS, SAML_TREE);
	}
	return true;
}

static bool
blank(const xmlNode *n)
{
	for (const xmlChar *c = n->content; c != NULL && *c != 0; c++)
		if (*c != ' ' && *c != '\t' && *c != '\n' && *c != '\r')
			return false;
	return true;
}

/* Children: elements among white space, or one text. */
static bool
look_children(struct verify *v, const xmlNode *n)
{
	size_t elements = 0, words = 0;

	for (const xmlNode *c = n->children; c != NULL; c = c->next) {
		CHECK(v, node_kind,
		    c->type == XML_ELEMENT_NODE || c->type == XML_TEXT_NODE,
		    SAML_TREE);
		elements += c->type == XML_ELEMENT_NODE;
		words += c->type == XML_TEXT_NODE && !blank(c);
	}
	CHECK(v, mixed, elements == 0 || words == 0, SAML_TREE);
	return true;
}

static bool
look_node(struct walk *w, const xmlNode *n)
{
	struct verify *v = w->v;
	size_t attrs = 0;

	CHECK(v, nodes, ++w->nodes <= NODES, SAML_TREE);
	if (n->type != XML_ELEMENT_NODE)
		return true;
	for (const xmlAttr *a = n->properties; a != NULL; a = a->next) {
		CHECK(v, attrs, ++attrs <= ATTRS, SAML_TREE);
		if (!look_attr(w, a))
			return false;
	}
	return look_namespaces(v, n) && look_children(v, n);
}

static size_t
declared(const xmlNode *n)
{
	size_t count = 0;

	for (const xmlNs *ns = n->nsDef; ns != NULL; ns = ns->next)
		count++;
	return count;
}

/* Without recursion: the depth is the document's choice. */
static bool
look(struct walk *w, const xmlNode *root)
{
	const xmlNode *n = root;
	size_t depth = 1;

	for (;;) {
		if (!look_node(w, n))
			return false;
		if (n->type == XML_ELEMENT_NODE && n->children != NULL) {
			/* C14N looks for each prefix of a PrefixList at each
			 * node in all of them, before a signature counts */
			w->scope += declared(n);
			CHECK(w->v, ns_scope, w->scope <= SCOPE, SAML_TREE);
			n = n->children;
			CHECK(w->v, depth, ++depth <= DEPTH, SAML_TREE);
			continue;
		}
		while (n != root && n->next == NULL) {
			n = n->parent;
			depth--;
			w->scope -= declared(n);
		}
		if (n == root)
			return true;
		n = n->next;
	}
}

/* What is wrong is the reason's to say, not standard error's. */
static void
quiet(void *ctx, xmlErrorPtr e)
{
	(void)ctx;
	(void)e;
}

xmlDocPtr
xml_open(struct verify *v, struct str xml)
{
	struct walk *w = ARENA_NEW(v->a, struct walk);
	xmlDocPtr doc;
	xmlNodePtr root;

	if (w == NULL) {
		(void)saml_no(v, SAML_MEMORY);
		return NULL;
	}
	w->v = v;
	xmlSetStructuredErrorFunc(NULL, quiet); /* of this thread */
	doc = xmlReadMemory(xml.p, (int)xml.n, NULL, "UTF-8",
	    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	root = doc == NULL ? NULL : xmlDocGetRootElement(doc);
	if (root == NULL) {
		(void)saml_no(v, SAML_PARSE);
	} else if (doc->intSubset != NULL || doc->extSubset != NULL ||
	    root->prev != NULL || root->next != NULL) {
		(void)saml_no(v, SAML_TREE);
	} else if (look(w, root)) {
		return doc;
	}
	xmlFreeDoc(doc);
	return NULL;
}

/* ---- reading ---- */

bool
xml_is(const xmlNode *n, const char *ns, const char *name)
{
	return n != NULL && n->type == XML_ELEMENT_NODE && n->ns != NULL &&
	    str_is(of(n->ns->href), ns) && str_is(of(n->name), name);
}

xmlNodePtr
xml_element(xmlNodePtr n)
{
	while (n != NULL && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return n;
}

xmlNodePtr
xml_child(const xmlNode *n, const char *ns, const char *name, size_t *ret_n)
{
	xmlNodePtr found = NULL;
	size_t count = 0;

	for (xmlNodePtr c = xml_first(n); c != NULL; c = xml_next(c)) {
		if (!xml_is(c, ns, name))
			continue;
		found = c;
		count++;
	}
	if (ret_n != NULL)
		*ret_n = count;
	return count == 1 ? found : NULL;
}

bool
xml_text(const xmlNode *n, struct str *ret)
{
	if (n == NULL || n->children == NULL ||
	    n->children->type != XML_TEXT_NODE || n->children->next != NULL)
		return false;
	*ret = of(n->children->content);
	return true;
}

struct str
xml_attr(const xmlNode *n, const char *name)
{
	struct str value;

	for (const xmlAttr *a = n == NULL ? NULL : n->properties; a != NULL;
	     a = a->next)
		if (a->ns == NULL && str_is(of(a->name), name) &&
		    attr_value(a, &value))
			return value;
	return STR_NONE;
}

size_t
xml_attrs(const xmlNode *n)
{
	size_t count = 0;

	for (const xmlAttr *a = n->properties; a != NULL; a = a->next)
		count++;
	return count;
}

size_t
xml_count(const xmlDoc *doc, const char *name)
{
	const xmlNode *root = xmlDocGetRootElement(doc), *n = root;
	size_t count = 0;

	for (;;) {
		count += n->type == XML_ELEMENT_NODE && n != root &&
		    str_is(of(n->name), name);
		if (n->type == XML_ELEMENT_NODE && n->children != NULL) {
			n = n->children;
			continue;
		}
		while (n != root && n->next == NULL)
			n = n->parent;
		if (n == root)
			return count;
		n = n->next;
	}
}

/* ---- canonical form ---- */

/* Is the node n, or the element parent that an attribute or a namespace
 * belongs to, in the subtree? */
static int
visible(void *top, xmlNodePtr n, xmlNodePtr parent)
{
	if (n == NULL)
		return 0;
	if (n->type == XML_NAMESPACE_DECL || n->type == XML_ATTRIBUTE_NODE)
		n = parent;
	for (; n != NULL; n = n->parent)
		if (n == top)
			return 1;
	return 0;
}

struct str
xml_canon(struct verify *v, xmlNodePtr n, xmlChar **prefixes)
{
	xmlOutputBufferPtr out = xmlAllocOutputBuffer(NULL);
	struct str ret = STR_NONE;
	int rc;

	if (out == NULL)
		return ret;
	rc = xmlC14NExecute(n->doc, visible, n, XML_C14N_EXCLUSIVE_1_0,
	    prefixes, 0, out);
	if (rc >= 0 && xmlOutputBufferGetContent(out) != NULL)
		ret = arena_dup(v->a,
		    str_of((const char *)xmlOutputBufferGetContent(out),
			xmlOutputBufferGetSize(out)));
	(void)xmlOutputBufferClose(out);
	/* an empty form would have the digest of nothing */
	if (ret.n < 8 || ret.p[0] != '<')
		return STR_NONE;
	return ret;
}

bool
xml_prefixes(struct verify *v, const xmlNode *n, xmlChar ***ret)
{
	xmlNodePtr list = xml_first(n);
	struct str s, one;
	xmlChar **p;
	size_t k = 0;

	*ret = NULL;
	if (list == NULL)
		return true;
	CHECK(v, prefix_list,
	    xml_is(list, NS_EXC, "InclusiveNamespaces") &&
		xml_next(list) == NULL && xml_first(list) == NULL &&
		xml_attrs(list) == 1,
	    SAML_TRANSFORM);
	s = xml_attr(list, "PrefixList");
	CHECK(v, prefix_list_attr, s.p != NULL, SAML_TRANSFORM);
	p = arena_array(v->a, PREFIXES + 1, sizeof *p);
	if (!err_ok(arena_check(v->a)))
		return saml_no(v, SAML_MEMORY);
	while (s.n > 0) {
		(void)str_cut(s, ' ', &one, &s);
		if (one.n == 0)
			continue;
		CHECK(v, prefix_many, k < PREFIXES, SAML_TRANSFORM);
		p[k] = (xmlChar *)(uintptr_t)arena_cstr(v->a, one);
		if (p[k++] == NULL)
			return saml_no(v, SAML_MEMORY);
	}
	p[k] = NULL;
	*ret = p;
	return true;
}
