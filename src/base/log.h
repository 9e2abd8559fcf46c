/*
 * log.h: the operator's log: one line per event on stderr,
 *
 *	2026-11-25T03:21:34.123Z info role=server event=tls.reload took_us=812
 *
 * Event names stand in log.def; values are always escaped, never secrets,
 * never what a person wrote.  Nothing is logged below flow, role and cli.
 * Each event is limited to LOG_BURST lines a second; the rest is counted and
 * reported as suppressed=N.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"
#include "base/str.h"

enum log_event {
#define LOG(name, level, text) name,
#include "base/log.def"
#undef LOG
	LOG_MAX_
};

struct kv {
	const char *key;
	struct str text; /* used when text.p != NULL */
	int64_t number;
};

#define KV(k, s) ((struct kv){.key = (k), .text = (s)})
#define KVC(k, c) ((struct kv){.key = (k), .text = str_c(c)})
#define KVN(k, v) ((struct kv){.key = (k), .number = (int64_t)(v)})
#define KVE(k, e) ((struct kv){.key = (k), .text = str_c(err_name(e))})

void log_role(const char *role); /* static string, once per process */
void log_kv(enum log_event ev, const struct kv *kvs, size_t n);
#define log_event(ev, ...)                                                     \
	log_kv((ev), (const struct kv[]){__VA_ARGS__},                         \
	    sizeof((const struct kv[]){__VA_ARGS__}) / sizeof(struct kv))

#endif
