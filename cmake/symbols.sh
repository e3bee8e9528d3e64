#!/bin/sh
# symbols.sh IMAGE: the text symbols of a linked kernel as assembly, for kernel/core/symbols.c; without an
# argument, an empty table for the first link.  Names are kept in address order, without what the compiler appends to
# those of its copies, one for an address; the boot code that runs below 4 GiB, before the kernel is at its place, is left out.
#
# The table is a stream, an entry for each symbol: how far its address is above the one before (the first: above
# IMAGE_BASE), seven bits a byte, lowest first, with the eighth set in all but the last; then its name and a 0, which
# counts as part of the name's last word.  Bytes that no name has stand for pairs of bytes, the pair that is most frequent
# at the time, one after the other (byte-pair encoding): symbol_pairs tells which.  Pairs are looked for within words, and
# each word once, as that is much faster.
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
    # What `text` is in bytes, `first` to `last` of code[]; the end of a name stands there as "\n".
    function add_word(text,    i) {
        if (text in word) { count[word[text]]++; return word[text] }
        word[text] = ++nr_words
        count[nr_words] = 1
        first[nr_words] = nr_codes
        for (i = 1; i <= length(text); i++) {
            code[nr_codes] = ascii[substr(text, i, 1)]
            is_literal[code[nr_codes++]] = 1
        }
        last[nr_words] = nr_codes - 1
        return nr_words
    }
    # The most frequent pair, as the number left * 256 + right; of equals the smallest, so that awks agree.
    function best_pair(    w, i, n, pair, seen, best) {
        for (w = 1; w <= nr_words; w++)
            for (i = first[w]; i < last[w]; i++) seen[code[i] * 256 + code[i + 1]] += count[w]
        n = 3 # a pair costs two bytes in symbol_pairs
        for (pair in seen)
            if (seen[pair] > n || (seen[pair] == n && best && pair + 0 < best)) { n = seen[pair]; best = pair + 0 }
        return best
    }
    function replace_pair(left, right, by,    w, i, to) {
        for (w = 1; w <= nr_words; w++) {
            to = first[w]
            for (i = first[w]; i <= last[w]; i++)
                if (i < last[w] && code[i] == left && code[i + 1] == right) { code[to++] = by; i++ }
                else code[to++] = code[i]
            last[w] = to - 1
        }
    }
    BEGIN { n = 0; nr_codes = 0; for (i = 33; i < 127; i++) ascii[sprintf("%c", i)] = i; ascii["\n"] = 0 }
    {
        # The upper half is the same for all, and a number in awk is too short for both.
        address[n] = hex(substr($1, 9))
        rest = substr($2, 2)
        text = substr($2, 1, 1)
        while (match(rest, /_/)) {
            words[n] = words[n] add_word(text substr(rest, 1, RSTART - 1)) " "
            text = "_"
            rest = substr(rest, RSTART + 1)
        }
        words[n] = words[n] add_word(text rest "\n") " "
        n++
    }
    END {
        for (by = 1; by < 256; by++)
            if (!(by in is_literal) && (pair = best_pair())) {
                left[by] = int(pair / 256)
                right[by] = pair % 256
                replace_pair(left[by], right[by], by)
            }
        print "    .section .rodata.symbols, \"a\"\n    .globl symbol_pairs\nsymbol_pairs:"
        for (by = 0; by < 256; by++) print "    .byte " left[by] + 0 ", " right[by] + 0
        print "    .globl symbol_stream\nsymbol_stream:"
        before = hex("80000000")
        for (i = 0; i < n; i++) {
            line = "    .byte "
            for (step = address[i] - before; step >= 128; step = int(step / 128)) line = line step % 128 + 128 ", "
            line = line step
            before = address[i]
            nr = split(words[i], part, " ")
            for (k = 1; k <= nr; k++)
                for (c = first[part[k]]; c <= last[part[k]]; c++) line = line ", " code[c]
            print line
        }
        print "    .globl symbol_stream_end\nsymbol_stream_end:\n    .section .note.GNU-stack, \"\", @progbits"
    }'
