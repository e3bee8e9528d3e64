/* /proc/cpuinfo's text, as Linux prints it, from CPUID. */
#include "internal.h"

#include <base/string.h>

/* clang-format off */
/* Linux's names of the feature bits, in bit order from 0, with the bit's number where Linux names none before it. */
static const char names_1_edx[] =
    "fpu vme de pse tsc msr pae mce cx8 apic 11:sep mtrr pge mca cmov pat pse36 pn clflush 21:dts acpi mmx fxsr "
    "sse sse2 ss ht tm ia64 pbe";
static const char names_1_ecx[] =
    "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm 17:pcid dca sse4_1 "
    "sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave 28:avx f16c rdrand hypervisor";
static const char names_ext_edx[] =
    "11:syscall 19:mp nx 22:mmxext 25:fxsr_opt pdpe1gb rdtscp 29:lm 3dnowext 3dnow";
static const char names_ext_ecx[] =
    "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs xop skinit wdt "
    "15:lwp fma4 tce 19:nodeid_msr 21:tbm topoext perfctr_core perfctr_nb 26:bpext 29:mwaitx";
static const char names_7_ebx[] =
    "fsgsbase tsc_adjust 3:bmi1 hle avx2 7:smep bmi2 erms invpcid rtm cqm 15:rdt_a avx512f avx512dq rdseed adx "
    "smap avx512ifma 23:clflushopt clwb intel_pt avx512pf avx512er avx512cd sha_ni avx512bw avx512vl";
static const char names_7_ecx[] =
    "1:avx512vbmi umip 5:waitpkg avx512_vbmi2 8:gfni vaes vpclmulqdq avx512_vnni avx512_bitalg tme "
    "avx512_vpopcntdq 22:rdpid 24:bus_lock_detect cldemote 27:movdiri movdir64b enqcmd";
static const char names_7_edx[] =
    "2:avx512_4vnniw avx512_4fmaps fsrm 8:avx512_vp2intersect 10:md_clear 14:serialize 16:tsxldtrk 22:amx_bf16 "
    "avx512_fp16 amx_tile amx_int8";
static const char names_d1_eax[] =
    "xsaveopt xsavec xgetbv1 xsaves";
/* clang-format on */

struct text {
    char *buf;
    size_t size, used;
};

static void printf_like(2, 3) put(struct text *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int n = vsnprintf(t->buf + t->used, t->size - t->used, format, args);
    va_end(args);
    t->used = MIN(t->used + n, t->size - 1);
}

static void put_flags(struct text *t, uint32_t bits, const char *names)
{
    for (unsigned bit = 0; *names; bit++) {
        char *behind;
        unsigned long number = strtoul(names, &behind, 10);
        if (*behind == ':') {
            bit = (unsigned)number;
            names = behind + 1;
        }
        const char *space = strchr(names, ' '), *end = space ? space : names + strlen(names);
        if (bits >> bit & 1)
            put(t, " %.*s", (int)(end - names), names);
        names = space ? space + 1 : end;
    }
}

static void put_all_flags(struct text *t)
{
    struct cpuid one = cpuid(1, 0), ext = cpuid(0x80000001, 0), seven = {0}, d1 = {0};

    if (cpuid(0, 0).eax >= 7)
        seven = cpuid(7, 0);
    if (cpu_has(CPU_XSAVE))
        d1 = cpuid(0xd, 1);
    seven.ecx &= ~(1u << 3 | 1u << 4); /* protection keys stay off */
    put_flags(t, one.edx, names_1_edx);
    put_flags(t, ext.edx, names_ext_edx);
    put(t, "%s rep_good nopl", cpu_has(CPU_TSC_INVARIANT) ? " constant_tsc nonstop_tsc" : "");
    put(t, " cpuid");
    put_flags(t, one.ecx, names_1_ecx);
    put_flags(t, ext.ecx, names_ext_ecx);
    put_flags(t, seven.ebx, names_7_ebx);
    put_flags(t, d1.eax, names_d1_eax);
    put_flags(t, seven.ecx, names_7_ecx);
    put_flags(t, seven.edx, names_7_edx);
}

static void put_model(struct text *t)
{
    struct cpuid zero = cpuid(0, 0), one = cpuid(1, 0);
    unsigned family = one.eax >> 8 & 15, model = one.eax >> 4 & 15;
    uint32_t name[13] = {0};

    if (family >= 6)
        model |= one.eax >> 12 & 0xf0;
    if (family == 15)
        family += one.eax >> 20 & 0xff;
    if (cpuid(0x80000000, 0).eax >= 0x80000004)
        for (unsigned i = 0; i < 3; i++)
            *(struct cpuid *)&name[i * 4] = cpuid(0x80000002 + i, 0);
    const char *model_name = (const char *)name;
    while (*model_name == ' ')
        model_name++;
    put(t, "vendor_id\t: %.4s%.4s%.4s\n", (char *)&zero.ebx, (char *)&zero.edx, (char *)&zero.ecx);
    put(t, "cpu family\t: %u\nmodel\t\t: %u\n", family, model);
    put(t, "model name\t: %s\nstepping\t: %u\n", *model_name ? model_name : "unknown",
        one.eax & 15);
}

unsigned arch_cpuinfo(unsigned index, char *buf, size_t size)
{
    struct text t = {.buf = buf, .size = size};
    uint64_t khz = platform_tsc_hz() / 1000;
    unsigned clflush = (cpuid(1, 0).ebx >> 8 & 0xff) * 8, apic_id = arch_cpu(index)->apic_id;
    uint32_t address_bits =
        cpuid(0x80000000, 0).eax >= 0x80000008 ? cpuid(0x80000008, 0).eax : 0x3024;

    put(&t, "processor\t: %u\n", index);
    put_model(&t);
    put(&t, "cpu MHz\t\t: %lu.%03lu\n", khz / 1000, khz % 1000);
    if (cpuid(0x80000000, 0).eax >= 0x80000006)
        put(&t, "cache size\t: %u KB\n", cpuid(0x80000006, 0).ecx >> 16);
    put(&t, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n",
        arch_cpu_count(), index, arch_cpu_count());
    put(&t, "apicid\t\t: %u\ninitial apicid\t: %u\n", apic_id, apic_id);
    put(&t, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\nflags\t\t:",
        cpuid(0, 0).eax);
    put_all_flags(&t);
    put(&t, "\nbugs\t\t:\nbogomips\t: %lu.%02lu\n", khz / 500, khz / 5 % 100);
    put(&t, "clflush size\t: %u\ncache_alignment\t: %u\n", clflush, clflush);
    put(&t, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n",
        address_bits & 0xff, address_bits >> 8 & 0xff);
    return t.used;
}
