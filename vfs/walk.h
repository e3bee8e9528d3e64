/* Walking a name, one component at a time; private to the vfs.
 *
 * A caller that changes or creates the last component stops before it: walk_start, walk_to_last,
 * and then looks at ->kind and ->last in the directory ->at.  walk_step takes the last component
 * too. */
#pragma once

#include <vfs/mount.h>
#include <vfs/path.h>

enum last_kind {
    LAST_NAME, /* an ordinary name */
    LAST_DOT,
    LAST_DOTDOT,
    LAST_NONE, /* "/", or "" with WALK_EMPTY: the place is ->at itself */
};

struct walk_state {
    const struct walk *w;
    unsigned flags;
    struct path at;   /* how far we are, referenced */
    struct path root; /* where ".." ends, referenced; dentry NULL: not asked for yet */
    char *owned;      /* what ->rest and ->last point into once a link was followed */
    const char *rest;
    unsigned nr_links;
    enum last_kind kind;
    const char *last;
    size_t last_len;
    uint32_t last_hash;
    bool has_slash; /* behind the last component: it must be a directory */
};

/* 0 or -errno; walk_end is needed in both cases. */
must_check int walk_start(struct walk_state *s, const struct walk *w, const char *name,
                          unsigned flags);
/* Through all components but the last. */
must_check int walk_to_last(struct walk_state *s);
/* The last component into ->at: 0.  A symbolic link that is to be followed: 1, go on with
 * walk_to_last. */
must_check int walk_step_last(struct walk_state *s, bool follow);
/* Follow a symbolic link in ->at that the caller has found in the last place itself. */
must_check int walk_follow_last(struct walk_state *s, struct dentry *link);
void walk_end(struct walk_state *s);
