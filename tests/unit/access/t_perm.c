#include "tests/unit/access/help.h"

TEST(every_permission_has_its_own_name)
{
	for (unsigned p = 0; p < PERM_MAX_; p++) {
		enum permission back;

		T_REQUIRE(
		    perm_parse(str_c(perm_text((enum permission)p)), &back));
		T_EQ_INT(back, p);
		T_OK(strlen(perm_meaning((enum permission)p)) > 0);
	}
	T_EQ_STR(str_c(perm_text(PERM_NONE)), STR("none"));
}

TEST(unknown_names_are_refused)
{
	static const char *const bad[] = {"", "none", "incident", "*",
	    "incident.view ", "Incident.view", "incident.viewx"};
	enum permission p;
	enum builtin_role r;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		T_OK(!perm_parse(str_c(bad[i]), &p));
		T_OK(!role_parse(str_c(bad[i]), &r));
	}
	T_OK(!perm_parse(STR_NONE, &p));
	T_OK(!role_parse(STR_NONE, &r));
	T_OK(!role_parse(STR("Viewer"), &r));
}

TEST(permset_algebra)
{
	struct permset none = {{0, 0}}, all = permset_all(), one;

	for (unsigned p = 0; p < PERM_MAX_; p++) {
		one = set_of((enum permission)p);
		T_OK(permset_has(&all, (enum permission)p));
		T_OK(!permset_has(&none, (enum permission)p));
		T_OK(permset_within(one, all));
		T_OK(!permset_within(one, none));
		for (unsigned q = 0; q < PERM_MAX_; q++)
			T_EQ_INT(permset_has(&one, (enum permission)q), p == q);
	}
	T_OK(!permset_has(&all, PERM_NONE));
	T_OK(!permset_has(&all, PERM_OBJECT));
	T_OK(!permset_has(&all, PERM_MAX_));
}

/* Written by hand from the contract; roles.def must say the same. */
static const struct {
	const char *role, *has;
} matrix[] = {
    {"viewer",
	"project.view incident.view alert.view run.view runbook.view "
	"token.create"},
    {"responder",
	"project.view incident.view alert.view run.view runbook.view "
	"token.create "
	"incident.create incident.edit incident.comment alert.create "
	"alert.act runbook.run run.cancel incident.sensitive "
	"connector.use secret.use"},
    {"commander",
	"project.view incident.view alert.view run.view runbook.view "
	"token.create "
	"incident.create incident.edit incident.comment alert.create "
	"alert.act runbook.run run.cancel "
	"incident.restrict incident.sensitive breakglass.use "
	"connector.use secret.use"},
    {"automation_author",
	"project.view incident.view alert.view run.view runbook.view "
	"token.create incident.comment runbook.edit connector.view "
	"secret.view"},
    {"approver",
	"project.view incident.view alert.view run.view runbook.view "
	"token.create "
	"runbook.approve delegate.view delegate.approve connector.view "
	"connector.approve"},
    {"integration_admin",
	"project.view incident.view alert.view run.view runbook.view "
	"token.create integration.view integration.edit connector.view "
	"connector.edit"},
    {"oncall_manager",
	"project.view incident.view alert.view run.view runbook.view "
	"token.create"},
    {"project_admin",
	"project.view incident.view alert.view run.view runbook.view "
	"token.create "
	"incident.create incident.edit incident.comment alert.create "
	"alert.act runbook.run run.cancel "
	"incident.restrict incident.sensitive breakglass.use "
	"project.edit integration.view automation.freeze "
	"runbook.edit runbook.approve "
	"integration.edit binding.edit delegate.view delegate.edit "
	"delegate.approve connector.view connector.edit connector.approve "
	"connector.use secret.view secret.edit secret.use "
	"retention.view retention.edit hold.view hold.edit"},
    {"org_admin",
	"project.view incident.view alert.view run.view runbook.view "
	"token.create "
	"incident.create incident.edit incident.comment alert.create "
	"alert.act runbook.run run.cancel "
	"incident.restrict incident.sensitive breakglass.use "
	"project.edit integration.view automation.freeze "
	"runbook.edit runbook.approve "
	"integration.edit binding.edit delegate.view delegate.edit "
	"delegate.approve connector.view connector.edit connector.approve "
	"connector.use secret.view secret.edit secret.use "
	"retention.view retention.edit hold.view hold.edit "
	"project.create user.view user.edit "
	"role.view role.edit token.admin access.explain audit.view "
	"audit.export audit.review audit.witness key.view key.seal "
	"person.anonymize metrics.view posture.view rbac.escalate "
	"breakglass.review policy.view policy.edit idp.view "
	"idp.edit scim.sync"},
    {"auditor",
	"token.create audit.view audit.export audit.review audit.witness "
	"role.view key.view "
	"user.view "
	"access.explain posture.view metrics.view breakglass.review "
	"policy.view idp.view retention.view hold.view"},
    {"agent",
	"project.view incident.view alert.view run.view runbook.view "
	"incident.comment"},
};

static bool
words_have(const char *words, const char *word)
{
	struct str rest = str_c(words), head;
	bool more = true;

	while (more) {
		more = str_cut(rest, ' ', &head, &rest);
		if (str_is(head, word))
			return true;
	}
	return false;
}

TEST(builtin_roles_are_what_the_matrix_says)
{
	T_EQ_INT(sizeof matrix / sizeof *matrix, ROLE_MAX_);
	for (size_t i = 0; i < sizeof matrix / sizeof *matrix; i++) {
		enum builtin_role r;
		struct permset s;

		T_REQUIRE(role_parse(str_c(matrix[i].role), &r));
		T_EQ_STR(str_c(role_name(r)), str_c(matrix[i].role));
		T_OK(strlen(role_text(r)) > 0);
		s = role_perms(r);
		for (unsigned p = 0; p < PERM_MAX_; p++)
			if (permset_has(&s, (enum permission)p) !=
			    words_have(matrix[i].has,
				perm_text((enum permission)p)))
				T_FAIL("%s: %s", matrix[i].role,
				    perm_text((enum permission)p));
	}
}

TEST(nobody_is_given_ingest_or_work)
{
	for (unsigned r = 0; r < ROLE_MAX_; r++) {
		struct permset s = role_perms((enum builtin_role)r);

		T_OK(!permset_has(&s, PERM_INGEST));
		T_OK(!permset_has(&s, PERM_DELEGATE_WORK));
	}
}

TEST(scopes)
{
	T_OK(perm_is_org(PERM_USER_EDIT));
	T_OK(perm_is_org(PERM_TOKEN_CREATE));
	T_OK(perm_is_self(PERM_TOKEN_CREATE));
	T_OK(!perm_is_self(PERM_USER_EDIT));
	T_OK(!perm_is_org(PERM_INCIDENT_VIEW));
	T_OK(!perm_is_org(PERM_NONE));
}

TEST(principal_kinds)
{
	for (unsigned k = PRINCIPAL_USER; k <= PRINCIPAL_GROUP; k++) {
		enum principal_kind back;

		T_REQUIRE(principal_kind_parse(str_c(principal_kind_text(
						   (enum principal_kind)k)),
		    &back));
		T_EQ_INT(back, k);
	}
	T_EQ_STR(str_c(principal_kind_text((enum principal_kind)0)), STR(""));
	T_EQ_STR(str_c(principal_kind_text((enum principal_kind)99)), STR(""));
}

T_MAIN
