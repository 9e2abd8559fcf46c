/* A wire server answering 204: b_wire [PORT [REACTORS]]; see bench/wire.sh */
#include "tests/unit/wire/serve.h"

int
main(int argc, char **argv)
{
	static struct server s;
	int port = argc > 1 ? atoi(argv[1]) : 0;
	unsigned reactors = argc > 2 ? (unsigned)atoi(argv[2]) : 2;
	struct wire_stats st;
	char line[16];

	server_start(&s, reactors, (struct wire_times){0}, port);
	printf("ready https://127.0.0.1:%d\n", s.port);
	fflush(stdout);
	while (fgets(line, sizeof line, stdin) != NULL) {
		wire_stats(s.w, &st);
		printf("accepted %lu open %lu requests %lu shares %u %u\n",
		    st.accepted, st.open, st.requests, s.per_reactor[0],
		    s.per_reactor[1]);
		fflush(stdout);
	}
	server_stop(&s);
	return 0;
}
