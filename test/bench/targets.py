"""The bars: what Yolk must measure beside the smallest Linux in the same run (docs/BENCHMARKS.md explains each)."""

# operation: (largest ratio to micro, largest number of guest instructions); None: no bar
OPERATIONS = {
    "null_call": (0.6, 80),
    "clock_gettime": (0.9, 60),
    "futex_wake": (0.5, 150),
    "futex_pingpong": (0.3, 900),
    "pipe": (0.4, 500),
    "pipe_pingpong": (0.3, 1500),
    "socketpair": (0.5, 900),
    "eventfd": (None, 350),
    "epoll_wait": (0.4, 250),
    "epoll": (0.4, 700),
    "mmap_64m": (0.15, None),
    "page_touch": (0.4, 1500),
    "mmap_page": (0.2, 4000),
    "mprotect": (0.5, 800),
    "thread": (0.25, 15000),
    "signal": (0.5, 1500),
    "read_zero_4k": (0.6, None),
    "write_null_4k": (0.5, 150),
    "open_close": (0.35, 1500),
    "stat": (0.4, 1000),
    "pread_4k": (0.6, None),
    "create_unlink": (0.3, None),
    "tcp_pingpong": (0.4, None),
    "tcp_connect": (0.25, None),
}

# boot: (largest ratio to the floor, largest ratio to micro)
BOOT = {"microvm": (1.5, 1 / 8), "q35": (1.3, None)}
GO_TO_C = 2.0        # Go's hello against C's, on microvm
LEAST_MIB = 4        # -m for the C hello
RSS_MIB = 8          # of QEMU, above the floor's
IMAGE_KIB = 512      # the stripped kernel

# The network, as ratios to micro: least for what is per second, else largest.
HTTP = {"requests/s": 1.5, "p99, ms": 0.5}  # keep-alive, 8 connections
REDIS = 1.5
BULK = 1.3
REQUEST_INSTRUCTIONS = {"HTTP": 0.6, "SET": 0.6}
ANSWER_S = 0.25      # from QEMU's start to Go's first HTTP answer
LEAST_HTTP_MIB = 16  # -m for Go's HTTP server
