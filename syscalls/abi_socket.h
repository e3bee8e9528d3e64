/* Layouts of the user structures that the calls on sockets take: addresses, message headers, control data, and the
 * options that hold a time. */
#pragma once

#include <files.h>
#include <net/socket.h>

/* An address of `len` bytes: 0, -EINVAL, -EFAULT. */
must_check int user_get_addr(struct uptr p, int len, struct socket_addr *addr);
/* An address into the caller's buffer, cut to the room at `len`, where its full length goes.  -EFAULT, -EINVAL. */
must_check int user_put_addr(struct uptr p, struct uptr len, const struct socket_addr *addr);

/* A message: struct msghdr with all that it points to.  Used once and ended. */
struct user_msg {
    struct socket_msg m;
    struct iobuf data;
    struct socket_addr addr;
    struct user_iov iov;
    /* where things are in user memory */
    struct uptr header, name, control;
    size_t name_room, control_room, control_used;
    bool has_control;
    struct socket_control c;
    void *control_copy; /* of what is sent; items point into it */
    int cmsg_flags;     /* O_CLOEXEC for descriptors that arrive */
};
/* sendmsg(2): all of it; if the socket's family takes them, SCM_RIGHTS is turned into files and SCM_CREDENTIALS checked. */
must_check int user_msg_read_send(struct user_msg *u, struct uptr header, bool takes_scm);
/* recvmsg(2): where to. */
must_check int user_msg_read_recv(struct user_msg *u, struct uptr header, int flags);
/* What was received, beside the data: descriptors are installed, lengths and flags written. */
must_check int user_msg_write_recv(struct user_msg *u);
void user_msg_end(struct user_msg *u);

/* struct mmsghdr: the message header in element `i` of an array, and its length field. */
struct uptr user_mmsg_header(struct uptr vec, unsigned i);
must_check int user_mmsg_put_len(struct uptr vec, unsigned i, unsigned len);

/* Option values in the kernel's layout: SO_RCVTIMEO and its like hold nanoseconds there.  `len` may be adjusted. */
must_check int abi_option_from_user(int level, int name, void *value, unsigned *len);
/* struct sock_fprog: where its instructions are, and how many bytes.  -EINVAL. */
must_check int abi_filter_from_user(const void *value, unsigned len, struct uptr *program,
                                    unsigned *bytes);
void abi_option_to_user(int level, int name, void *value, unsigned *len, unsigned room);
