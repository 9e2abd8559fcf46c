/*
 * schema.c: the schemas, part of the binary.  Number n brings a store of
 * version n - 1 to version n.
 */
#include "store/conn.h"

#define EMBED(name, file)                                                      \
	__asm__(".pushsection .rodata\n"                                       \
		".balign 16\n" name "_begin:\n"                                \
		".incbin \"" file "\"\n" name "_end:\n"                        \
		".byte 0\n"                                                    \
		".popsection\n")

EMBED("store_schema_0001", "src/store/schema/0001.sql");

extern const char store_schema_0001_begin[], store_schema_0001_end[];
__asm__(".hidden store_schema_0001_begin\n.hidden store_schema_0001_end\n"
	".globl store_schema_0001_begin\n.globl store_schema_0001_end\n");

const struct schema schemas[SCHEMA_VERSION] = {
    {store_schema_0001_begin, store_schema_0001_end},
};
