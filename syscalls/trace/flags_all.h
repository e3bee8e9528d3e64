/* How to read flags.def: define FLAGS, NAME, VALUE and END, include this, and they are undefined again. */
#include "flags.def"
#undef FLAGS
#undef NAME
#undef VALUE
#undef END
