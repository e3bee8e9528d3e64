/* uname(2) as Linux has it, but for the name of the machine. */
#include <linux/utsname.h>
#include <yolk/sdk.h>

long wrap_uname(struct uptr buf)
{
    static const char name[] = "greeter";
    long ret = original_uname(buf);

    if (ret < 0)
        return ret;
    return yolk_write_user(uptr_add(buf, offsetof(struct new_utsname, nodename)), name,
                           sizeof(name));
}
