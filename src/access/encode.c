#include "access/object.h"

#include "base/text.h"

static void
put_uuid(struct jw *w, const struct uuid *u)
{
	char t[UUID_TEXT + 1];

	uuid_text(u, t);
	jw_str(w, str_of(t, UUID_TEXT));
}

static void
put_id(struct jw *w, struct str name, const struct uuid *u)
{
	jw_name(w, name);
	put_uuid(w, u);
}

static void
put_kind(struct jw *w, struct str name, enum principal_kind k)
{
	jw_name(w, name);
	jw_str(w, str_c(principal_kind_text(k)));
}

static void
put_perms(struct jw *w, struct str name, const struct permset *s)
{
	jw_name(w, name);
	jw_arr(w);
	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (permset_has(s, (enum permission)p))
			jw_str(w, str_c(perm_text((enum permission)p)));
	jw_arr_end(w);
}

static void
put_group(struct jw *w, const struct group *g)
{
	jw_kstr(w, "name", g->name);
	jw_karr(w, "members");
	for (size_t i = 0; i < g->members_n; i++)
		put_uuid(w, &g->members[i].u);
	jw_arr_end(w);
}

static void
put_binding(struct jw *w, const struct binding *b)
{
	put_kind(w, STR("subject_kind"), b->subject_kind);
	put_id(w, STR("subject"), &b->subject);
	jw_kstr(w, "role", b->role);
	jw_ki64(w, "expires", b->expires);
	jw_kstr(w, "reason", b->reason);
	put_id(w, STR("created_by"), &b->created_by.u);
}

static void
put_token(struct jw *w, const struct token *t)
{
	char hex[2 * sizeof t->verifier];
	struct buf b = {.p = hex, .cap = sizeof hex, .max = sizeof hex};

	hex_add(&b, str_of((const char *)t->verifier, sizeof t->verifier));
	jw_kstr(w, "kind", str_of(&t->kind, 1));
	jw_kstr(w, "key_id", str_of(t->key_id, TOKEN_KEY_ID));
	jw_kstr(w, "verifier", buf_view(&b));
	jw_ki64(w, "verifier_key", t->verifier_key);
	put_kind(w, STR("owner_kind"), t->owner_kind);
	put_id(w, STR("owner"), &t->owner.u);
	jw_kstr(w, "name", t->name);
	put_perms(w, STR("scopes"), &t->scopes);
	jw_karr(w, "projects");
	for (size_t i = 0; i < t->projects_n; i++)
		jw_i64(w, t->projects[i]);
	jw_arr_end(w);
	jw_karr(w, "cidrs");
	for (size_t i = 0; i < t->cidrs_n; i++)
		jw_str(w, t->cidrs[i]);
	jw_arr_end(w);
	jw_ki64(w, "expires", t->expires);
	jw_ki64(w, "revoked", t->revoked);
}

/* auth and mapping are JSON already, but kept as strings: what a person sent
 * comes back to the byte. */
static void
put_integration(struct jw *w, const struct integration *i)
{
	jw_kstr(w, "name", i->name);
	jw_kstr(w, "template", i->template);
	jw_kstr(w, "auth", i->auth);
	jw_kstr(w, "mapping", i->mapping);
	jw_ki64(w, "default_severity", i->default_severity);
	jw_kbool(w, "disabled", i->disabled);
	put_id(w, STR("created_by"), &i->created_by.u);
}

static void
put_members(struct jw *w, const struct object *o)
{
	switch (o->kind) {
	case OBJECT_PROJECT:
		jw_kstr(w, "slug", ((const struct project *)o)->slug);
		jw_kstr(w, "name", ((const struct project *)o)->name);
		break;
	case OBJECT_USER:
		jw_kstr(w, "email", ((const struct user *)o)->email);
		jw_kstr(w, "name", ((const struct user *)o)->name);
		jw_kbool(w, "disabled", ((const struct user *)o)->disabled);
		break;
	case OBJECT_SERVICE_ACCOUNT:
		jw_kstr(w, "name", ((const struct service_account *)o)->name);
		jw_kbool(w, "disabled",
		    ((const struct service_account *)o)->disabled);
		break;
	case OBJECT_GROUP:
		put_group(w, (const struct group *)o);
		break;
	case OBJECT_ROLE:
		jw_kstr(w, "name", ((const struct role *)o)->name);
		put_perms(w, STR("permissions"),
		    &((const struct role *)o)->perms);
		break;
	case OBJECT_BINDING:
		put_binding(w, (const struct binding *)o);
		break;
	case OBJECT_TOKEN:
		put_token(w, (const struct token *)o);
		break;
	case OBJECT_INTEGRATION:
		put_integration(w, (const struct integration *)o);
		break;
	}
}

void
object_encode(struct buf *b, const struct object *o)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	put_members(&w, o);
	jw_obj_end(&w);
}
