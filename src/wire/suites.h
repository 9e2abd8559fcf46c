/* suites.h: what the server speaks TLS with, for tls.c and for who asks. */
#ifndef WIRE_SUITES_H
#define WIRE_SUITES_H

#define WIRE_TLS_VERSION "TLSv1.3"
#define WIRE_TLS_SUITES                                                        \
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"                       \
	"TLS_CHACHA20_POLY1305_SHA256"
#define WIRE_TLS_GROUPS "X25519:P-256"

/* What does it, and which version of that. */
const char *tls_library(void);

#endif
