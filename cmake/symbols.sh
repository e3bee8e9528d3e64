#!/bin/sh
# symbols.sh IMAGE: the text symbols of a linked kernel as assembly, for kernel/core/symbols.c; without an
# argument, an empty table for the first link.  Names are kept in address order, without what the compiler appends to
# those of its copies, one for an address; the boot code that runs below 4 GiB, before the kernel is at its place, is left out.
#
# The table is a stream of bits, the highest of a byte first, an entry for each symbol:
#   - how far its address is above the one before (the first: above IMAGE_BASE), as a number in steps of 64;
#   - how many characters its name has in common with the one before, less two, as a number in steps of one; below three
#     it is 0 and stands for none;
#   - the rest of the name in symbols, the last of which ends in a NUL.
# Behind the last entry an address follows that is above all.  One name in 256 has nothing in common with the one before:
# symbol_index tells, twice 32 bits for each, the address before it (above IMAGE_BASE) and its entry's first bit.
#
# A number x in steps of 2^k is x + 2^k in binary, behind as many zeros as that has digits above k + 1 (an Exp-Golomb code).
#
# A symbol is a byte or a pair of symbols.  Pairs are made one after the other of the two symbols that follow each other
# most often at the time (Re-Pair).  Symbols are numbered by how often they are in the stream, the most frequent first, and
# stand there in a canonical Huffman code: symbol_lengths tells how many have codes of one bit, of two, and so on.
# symbol_parts is ten bits twice for each: the two symbols that it is, or itself and the byte.
set -eu
if [ $# -gt 0 ]; then
    nm -n "$1" | awk '
        $1 ~ /^ffffffff/ && $2 ~ /^[tT]$/ && $1 != at {
            sub(/[.].*/, "", $3)
            if ($3 != "" && $3 != name) { print $1, $3; at = $1; name = $3 }
        }'
fi | LC_ALL=C awk '
    function hex(text,    i, value) {
        for (i = 1; i <= length(text); i++) value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
        return value
    }
    function digits(value,    n) { for (n = 0; value >= 1; n++) value /= 2; return n }
    function put(value, bits) {
        waiting = waiting * power[bits] + value
        nr_put += bits
        for (nr_waiting += bits; nr_waiting >= 8; nr_waiting -= 8) {
            print "    .byte " int(waiting / power[nr_waiting - 8])
            waiting %= power[nr_waiting - 8]
        }
    }
    function put_number(value, k,    n) {
        value += power[k]
        n = digits(value)
        put(0, n - k - 1)
        put(value, n)
    }
    function put_label(name) {
        if (nr_waiting) put(0, 8 - nr_waiting)
        nr_put = 0
        print "    .globl " name "\n" name ":"
    }
    function byte_symbol(byte) {
        if (!(byte in symbol_of)) { symbol_of[byte] = nr_symbols; byte_of[nr_symbols++] = byte }
        return symbol_of[byte]
    }
    # The stream before it is bits: symbol[i], then symbol[after[i]] and so on to the end of a name.
    function add_symbol(s, is_first) {
        symbol[++nr_places] = s
        if (!is_first) { before[nr_places] = nr_places - 1; after[nr_places - 1] = nr_places }
    }
    function found_pair(at,    pair) {
        pair = symbol[at] * 1024 + symbol[after[at]]
        if (!(pair in count)) new_pair[nr_new++] = pair
        count[pair]++
        places[pair] = places[pair] at " "
    }
    # Each pair that is new is put with those as frequent; it becomes rarer only.
    function sort_new(    i, n) {
        for (i = 0; i < nr_new; i++) { n = count[new_pair[i]]; with_count[n] = with_count[n] new_pair[i] " "; if (n > top) top = n }
        nr_new = 0
    }
    # The most frequent pair, or -1: what is there three times is not worth its place in symbol_parts.
    function take_best(    end, pair) {
        for (; top > 3; top--)
            while ((end = index(with_count[top], " "))) {
                pair = substr(with_count[top], 1, end - 1)
                with_count[top] = substr(with_count[top], end + 1)
                if (count[pair] == top) return pair
                with_count[count[pair]] = with_count[count[pair]] pair " "
            }
        return -1
    }
    function replace_pair(pair, by,    nr, place, i, at, next_at) {
        left[by] = int(pair / 1024)
        right[by] = pair % 1024
        nr = split(places[pair], place, " ")
        for (i = 1; i <= nr; i++) {
            at = place[i]
            next_at = after[at]
            if (symbol[at] != left[by] || !next_at || symbol[next_at] != right[by]) continue
            if (before[at]) count[symbol[before[at]] * 1024 + left[by]]--
            if (after[next_at]) count[right[by] * 1024 + symbol[after[next_at]]]--
            symbol[at] = by
            symbol[next_at] = -1
            if ((after[at] = after[next_at])) { before[after[at]] = at; found_pair(at) }
            if (before[at]) found_pair(before[at])
        }
        sort_new()
    }
    # A Huffman code (of the lightest two that are left, leaves or made, always one more is made); how long its longest is.
    function make_code(    i, s, n, most, of, nr, weight, parent, leaf, made, k, depth, max) {
        for (i = 1; i <= nr_places; i++) if (symbol[i] >= 0 && ++uses[symbol[i]] > most) most = uses[symbol[i]]
        for (s = 0; s < nr_symbols; s++) with_uses[uses[s] + 0] = with_uses[uses[s] + 0] s " "
        nr_used = 0
        for (i = most; i >= 0; i--) {
            n = split(with_uses[i], of, " ")
            for (k = 1; k <= n; k++) { rank[of[k]] = nr; ranked[nr++] = of[k]; if (i) nr_used = nr }
        }
        for (i = 0; i < nr_used; i++) weight[i] = uses[ranked[nr_used - 1 - i]]
        leaf = 0
        made = nr_used
        for (nr = nr_used; nr < 2 * nr_used - 1; nr++)
            for (k = 0; k < 2; k++) {
                i = leaf < nr_used && (made >= nr || weight[leaf] <= weight[made]) ? leaf++ : made++
                weight[nr] += weight[i]
                parent[i] = nr
            }
        for (i = nr - 2; i >= 0; i--) {
            depth[i] = depth[parent[i]] + 1
            if (i < nr_used) { nr_of_length[depth[i]]++; if (depth[i] > max) max = depth[i] }
        }
        s = 0
        n = 0
        for (i = 1; i <= max; i++) {
            for (k = nr_of_length[i]; k > 0; k--) { bits_of[ranked[s]] = i; code[ranked[s++]] = n++ }
            n *= 2
        }
        return max
    }
    BEGIN {
        n = 0
        nr_symbols = 0
        for (i = 33; i < 127; i++) ascii[sprintf("%c", i)] = i
        for (i = 0; i < 72; i++) power[i] = i ? power[i - 1] * 2 : 1
    }
    {
        # The upper half is the same for all, and a number in awk is too short for both.
        address[n] = hex(substr($1, 9))
        for (same = 0; same < length($2) && substr($2, same + 1, 1) == substr(name, same + 1, 1); same++);
        if (same < 3 || n % 256 == 0) same = 0
        name = $2
        common[n] = same ? same - 2 : 0
        start[n] = nr_places + 1
        for (i = same + 1; i <= length(name); i++) add_symbol(byte_symbol(ascii[substr(name, i, 1)]), i == same + 1)
        add_symbol(byte_symbol(0), i == same + 1)
        n++
    }
    END {
        for (i = 1; i <= nr_places; i++) if (after[i]) found_pair(i)
        sort_new()
        while (nr_symbols < 1024 && (pair = take_best()) >= 0) replace_pair(pair, nr_symbols++)
        print "    .section .rodata.symbols, \"a\"\n    .balign 2"
        max = make_code()
        put_label("symbol_lengths")
        for (i = 1; i <= max; i++) print "    .short " nr_of_length[i] + 0
        put_label("symbol_parts")
        for (i = 0; i < nr_symbols; i++) {
            s = ranked[i]
            put(s in byte_of ? i : rank[left[s]], 10)
            put(s in byte_of ? byte_of[s] : rank[right[s]], 10)
        }
        put_label("symbol_stream")
        at = hex("80000000")
        for (i = 0; i < n; i++) {
            if (i % 256 == 0) indexed = indexed "    .long " at - hex("80000000") ", " nr_put "\n"
            put_number(address[i] - at, 6)
            at = address[i]
            put_number(common[i], 0)
            for (k = start[i]; k; k = after[k]) put(code[symbol[k]], bits_of[symbol[k]])
        }
        put_number(power[32] - at, 6)
        put(0, 64 + (8 - nr_waiting) % 8) # it is read by eight bytes
        print "    .balign 4"
        put_label("symbol_index")
        printf "%s", indexed
        put_label("symbol_index_end")
        print "    .section .note.GNU-stack, \"\", @progbits"
    }'
