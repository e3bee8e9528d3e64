/* The SDK's <yolk/base.h> for the kernel's own side of it, which has these types and functions already. */
#pragma once

#include <base/string.h>
#include <base/types.h>
