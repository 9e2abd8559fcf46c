/* HTTP/2: not offered yet. */
#include "wire/conn.h"
bool h2_begin(struct conn *c) { (void)c; return false; }
void h2_input(struct conn *c, struct str in) { (void)c; (void)in; }
void h2_answer(struct exchange *x) { exchange_free(x); }
void h2_stream(struct exchange *x) { exchange_over(x); }
void h2_pump(struct exchange *x) { (void)x; }
void h2_work(struct conn *c) { (void)c; }
void h2_timeout(struct exchange *x, enum timer_list l) { (void)x; (void)l; }
void h2_timer(struct conn *c) { (void)c; }
void h2_drain(struct conn *c) { (void)c; }
void h2_end(struct conn *c) { (void)c; }
