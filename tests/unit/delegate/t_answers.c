/* What a server answers, and what is no answer. */
#include "delegate/answers.h"
#include "tests/t.h"

static struct lease lease;
static struct arena a;

#define ID "01900000-0000-7000-8000-000000000001"
#define KEY                                                                    \
	"redoubt.example/audit/test/1+5f729edd+"                               \
	"AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
#define HASH "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static err
lease_of(const char *text)
{
	struct trail t = {0};
	err e;

	arena_init(&a, 1 << 20);
	e = answer_lease(&a, str_c(text), &t, &lease);
	T_OK(err_ok(e) == (t.detail[0] == '\0'));
	return e;
}

TEST(a_lease)
{
	T_GOOD(lease_of("{\"tasks\":[],\"cancel\":[],\"frozen\":false}"));
	arena_done(&a);
	T_GOOD(lease_of("{\"tasks\":[{\"task\":\"" ID
			"\",\"fence\":3,\"sealed\":\"YWJj\"}],\"cancel\":[\"" ID
			"\"],\"frozen\":true,\"checkpoint\":\"x\","
			"\"consistency\":[\"" HASH "\"],\"more\":1}"));
	T_EQ_INT(lease.tasks, 1);
	T_EQ_INT(lease.task[0].fence, 3);
	T_EQ_STR(lease.task[0].sealed, STR("abc"));
	T_EQ_INT(lease.cancels, 1);
	T_EQ_INT(lease.proof_n, 1);
	T_OK(lease.frozen);
	arena_done(&a);
}

TEST(no_lease)
{
	static const char *const bad[] = {"", "[]", "{}", "{\"tasks\":[]}",
	    "{\"tasks\":[],\"cancel\":[],\"frozen\":1}",
	    "{\"tasks\":{},\"cancel\":[],\"frozen\":false}",
	    "{\"tasks\":[1],\"cancel\":[],\"frozen\":false}",
	    "{\"tasks\":[],\"cancel\":[\"x\"],\"frozen\":false}",
	    /* a task without a checkpoint, without a fence, of no id */
	    "{\"tasks\":[{\"task\":\"" ID "\",\"fence\":1,\"sealed\":\"\"}],"
	    "\"cancel\":[],\"frozen\":false}",
	    "{\"tasks\":[{\"task\":\"" ID "\",\"fence\":0,\"sealed\":\"\"}],"
	    "\"cancel\":[],\"frozen\":false,\"checkpoint\":\"x\","
	    "\"consistency\":[]}",
	    "{\"tasks\":[{\"task\":\"../x\",\"fence\":1,\"sealed\":\"\"}],"
	    "\"cancel\":[],\"frozen\":false,\"checkpoint\":\"x\","
	    "\"consistency\":[]}",
	    "{\"tasks\":[],\"cancel\":[],\"frozen\":false,\"checkpoint\":\"x\","
	    "\"consistency\":[\"YQ==\"]}",
	    "{\"tasks\":[],\"cancel\":[],\"frozen\":false,"
	    "\"frozen\":false}"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		T_ERR(lease_of(bad[i]), E_PEER);
		arena_done(&a);
	}
}

static err
joined_of(const char *state, const char *more, struct joined *ret)
{
	static char text[2048];
	struct trail t = {0};

	snprintf(text, sizeof text,
	    "{\"delegate\":\"" ID "\",\"project\":\"" ID
	    "\",\"state\":\"%s\",\"log\":{\"origin\":"
	    "\"redoubt.example/audit/test/1\",\"key\":\"" KEY
	    "\"},\"task_key\":\"" HASH "\"%s}",
	    state, more);
	arena_init(&a, 1 << 20);
	return answer_joined(&a, str_c(text), &t, ret);
}

TEST(joining)
{
	struct joined g;

	T_GOOD(joined_of("pending", "", &g));
	T_OK(!g.approved);
	arena_done(&a);
	T_GOOD(joined_of("approved", ",\"certificate\":\"pem\"", &g));
	T_OK(g.approved);
	T_EQ_STR(g.certificate, STR("pem"));
	arena_done(&a);
	T_ERR(joined_of("approved", "", &g), E_PEER);
	arena_done(&a);
	T_ERR(joined_of("revoked", "", &g), E_PEER);
	arena_done(&a);
}

TEST(the_small_ones)
{
	struct trail t = {0};
	uint64_t n;
	struct str s;

	arena_init(&a, 1 << 20);
	T_GOOD(answer_next(&a, STR("{\"next\":7}"), &t, &n));
	T_EQ_INT(n, 7);
	T_ERR(answer_next(&a, STR("{\"next\":-1}"), &t, &n), E_PEER);
	T_GOOD(answer_certificate(&a, STR("{\"certificate\":\"x\"}"), &t, &s));
	T_ERR(answer_certificate(&a, STR("{\"certificate\":\"\"}"), &t, &s),
	    E_PEER);
	T_EQ_STR(answer_code(&a, STR("{\"code\":\"conflict\"}")),
	    STR("conflict"));
	T_OK(answer_code(&a, STR("<html>")).p == NULL);
	arena_done(&a);
}

T_MAIN
