/* The version of the SDK that is here.  A .def asks for the one it needs, with SDK(1); a newer one than this is refused.
 * Within a version's life nothing changes its meaning, and each addition counts the version up. */
#pragma once

#define YOLK_SDK_VERSION 1
