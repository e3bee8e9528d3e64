/* greet(name, buf, size): "hello, NAME" into buf.  Its length, or -ERANGE when there is no room. */
#include <yolk/sdk.h>

long sys_greet(struct uptr name, struct uptr buf, size_t size)
{
    char who[32], text[64];
    long err = yolk_read_user_string(who, name, sizeof(who));

    if (err < 0)
        return err;
    size_t len = (size_t)snprintf(text, sizeof(text), "hello, %s", who);
    if (len > size)
        return -ERANGE;
    err = yolk_write_user(buf, text, len);
    return err ? err : (long)len;
}
