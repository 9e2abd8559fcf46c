#include "role/device.h"

err
device_open(const struct unlocking *k, const struct unlocker *u,
    struct str said, struct secret *ret)
{
	(void)u, (void)said, (void)ret;
	trail_set(k->t, "not in this build");
	return err_of(E_NOT_IMPLEMENTED);
}

err
device_make(const struct unlocking *k, const struct person *p,
    const struct unlock_spec *s, struct unlocker *u, struct secret *ret_key)
{
	(void)p, (void)s, (void)u, (void)ret_key;
	trail_set(k->t, "not in this build");
	return err_of(E_NOT_IMPLEMENTED);
}
