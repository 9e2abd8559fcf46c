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

#define DECLARE(name)                                                          \
	extern const char name##_begin[], name##_end[];                        \
	__asm__(".hidden " #name "_begin\n.hidden " #name "_end\n"             \
		".globl " #name "_begin\n.globl " #name "_end\n")

EMBED("store_schema_0001", "src/store/schema/0001.sql");
EMBED("store_schema_0002", "src/store/schema/0002.sql");
EMBED("store_schema_0003", "src/store/schema/0003.sql");
EMBED("store_schema_0004", "src/store/schema/0004.sql");
EMBED("store_schema_0005", "src/store/schema/0005.sql");
EMBED("store_schema_0006", "src/store/schema/0006.sql");
EMBED("store_schema_0007", "src/store/schema/0007.sql");
EMBED("store_schema_0008", "src/store/schema/0008.sql");
EMBED("store_schema_0009", "src/store/schema/0009.sql");
EMBED("store_schema_0010", "src/store/schema/0010.sql");

DECLARE(store_schema_0001);
DECLARE(store_schema_0002);
DECLARE(store_schema_0003);
DECLARE(store_schema_0004);
DECLARE(store_schema_0005);
DECLARE(store_schema_0006);
DECLARE(store_schema_0007);
DECLARE(store_schema_0008);
DECLARE(store_schema_0009);
DECLARE(store_schema_0010);

const struct schema schemas[SCHEMA_VERSION] = {
    {store_schema_0001_begin, store_schema_0001_end},
    {store_schema_0002_begin, store_schema_0002_end},
    {store_schema_0003_begin, store_schema_0003_end},
    {store_schema_0004_begin, store_schema_0004_end},
    {store_schema_0005_begin, store_schema_0005_end},
    {store_schema_0006_begin, store_schema_0006_end},
    {store_schema_0007_begin, store_schema_0007_end},
    {store_schema_0008_begin, store_schema_0008_end},
    {store_schema_0009_begin, store_schema_0009_end},
    {store_schema_0010_begin, store_schema_0010_end},
};
