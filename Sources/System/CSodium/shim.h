#include <sodium.h>
#include <sys/mman.h>
