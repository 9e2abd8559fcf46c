/*
 * A connector's document: refused with a sentence, or what it says holds:
 * exact hosts, paths without tricks, a canonical text that is its own.
 */
#include "base/json_canon.h"
#include "base/limits.h"
#include "domain/connector.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct connector *c)
{
	BUG_ON(c->labels_n == 0 || c->actions_n == 0 || c->hosts_n == 0);
	BUG_ON(!connector_reaches(c, c->origin.host, c->origin.port));
	for (size_t i = 0; i < c->hosts_n; i++) {
		struct str h = c->hosts[i].text;

		for (size_t k = 0; k < h.n; k++)
			BUG_ON(strchr("@/*%?#\\ ", h.p[k]) != NULL);
	}
	for (size_t i = 0; i < c->actions_n; i++) {
		const struct connector_action *act = &c->actions[i];
		struct trail t = {0};

		BUG_ON(act->path.p[0] != '/' || act->params_n > 32);
		BUG_ON(memchr(act->path.p, '%', act->path.n) != NULL);
		BUG_ON(connector_action(c, act->name) != act);
		BUG_ON(connector_missing_scope(c, act).n > 0);
		(void)connector_check_params(act, act->body, &t);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json *doc, *whole;
	struct trail t = {0};
	struct connector c;
	struct str text;
	struct arena a;

	arena_init(&a, (size_t)16 << 20);
	if (err_ok(json_parse(&a, str_of((const char *)data, size),
		&connector_limits, &t, &doc))) {
		if (err_ok(connector_parse(&a, doc, &t, &c)))
			check(&c);
		t = (struct trail){0};
		if (err_ok(connector_canon(&a, doc, &t, &text))) {
			BUG_ON(!err_ok(json_parse(&a, text, &connector_limits,
			    &t, &whole)));
			BUG_ON(!json_is_canon(text, whole));
			if (err_ok(connector_parse(&a, whole, &t, &c)))
				check(&c);
			else
				BUG_ON(t.detail[0] == '\0' && !a.failed);
		}
	}
	arena_done(&a);
	return 0;
}
