/*
 * config.h: redoubt.conf, an INI file read with inih and checked strictly:
 * an unknown section or name, a name given twice (LIST excepted), a value of
 * the wrong type, a byte that is no printable UTF-8 or more than LIM_CONFIG
 * bytes is E_CONFIG and the trail says file line and name. Secrets are never
 * values, only paths.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"

enum { CONFIG_LIST = 8 };

struct config_list {
	struct str item[CONFIG_LIST];
	size_t n;
};

struct config {
#define CONFIG(section, name, type, def, meaning)                              \
	CONFIG_MEMBER_##type section##_##name;
#define CONFIG_MEMBER_STR struct str
#define CONFIG_MEMBER_NUM int64_t
#define CONFIG_MEMBER_BOOL bool
#define CONFIG_MEMBER_LIST struct config_list
#include "base/config.def"
#undef CONFIG
};

/* Defaults, then text over them. All views are in the arena. */
err config_parse(struct arena *a, struct str text, struct trail *t,
    struct config *ret) MUST_USE;
void config_defaults(struct arena *a, struct config *ret);
/* Write redoubt.conf with every setting, commented, at its default. */
void config_template(struct buf *b);

#endif
