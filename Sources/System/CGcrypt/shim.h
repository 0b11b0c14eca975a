#include <gcrypt.h>
/* gcry_control() is variadic, which Swift cannot call. No other module's secrets are here: no locked pool. FIPS mode would restrict IVs. */
static inline int postern_gcrypt_start(void) {
    if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) return 0;
    if (gcry_control(GCRYCTL_NO_FIPS_MODE, 0) || gcry_control(GCRYCTL_DISABLE_SECMEM, 0) || !gcry_check_version("1.10.0")) return -1;
    return gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0) == 0 ? 0 : -1;
}
