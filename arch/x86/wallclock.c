/* The battery-backed clock (CMOS RTC): read once at boot. */
#include "platform.h"

enum {
    CMOS_INDEX = 0x70,
    CMOS_DATA = 0x71,
    RTC_SECONDS = 0,
    RTC_MINUTES = 2,
    RTC_HOURS = 4,
    RTC_DAY = 7,
    RTC_MONTH = 8,
    RTC_YEAR = 9,
    RTC_STATUS_A = 10,
    RTC_STATUS_B = 11,
    A_UPDATING = 0x80,
    B_24_HOURS = 2,
    B_BINARY = 4,
    HOUR_PM = 0x80,
};

struct rtc {
    uint8_t seconds, minutes, hours, day, month, year, century;
};

static uint8_t cmos_read(uint8_t index)
{
    outb(CMOS_INDEX, index);
    return inb(CMOS_DATA);
}

static struct rtc rtc_read(void)
{
    uint8_t century = platform.century_register;
    return (struct rtc){
        .seconds = cmos_read(RTC_SECONDS),
        .minutes = cmos_read(RTC_MINUTES),
        .hours = cmos_read(RTC_HOURS),
        .day = cmos_read(RTC_DAY),
        .month = cmos_read(RTC_MONTH),
        .year = cmos_read(RTC_YEAR),
        .century = century && century < 128 ? cmos_read(century) : 0,
    };
}

static bool rtc_same(const struct rtc *a, const struct rtc *b)
{
    return a->seconds == b->seconds && a->minutes == b->minutes && a->hours == b->hours &&
           a->day == b->day;
}

/* Not torn by an update: two equal readings outside of one.  An update takes 2 ms at most, once a
 * second. */
static bool rtc_read_stable(struct rtc *out)
{
    uint64_t give_up = arch_clock_ns() + 5000000;
    do {
        if (cmos_read(RTC_STATUS_A) & A_UPDATING)
            continue;
        struct rtc a = rtc_read(), b = rtc_read();
        if (rtc_same(&a, &b)) {
            *out = a;
            return true;
        }
    } while (arch_clock_ns() < give_up);
    return false;
}

static uint8_t from_bcd(uint8_t v)
{
    return (v >> 4) * 10 + (v & 15);
}

static void rtc_decode(struct rtc *t, uint8_t status_b)
{
    bool is_pm = t->hours & HOUR_PM;
    if (!(status_b & B_24_HOURS))
        t->hours &= ~HOUR_PM;
    if (!(status_b & B_BINARY)) {
        uint8_t *field[] = {&t->seconds, &t->minutes, &t->hours,  &t->day,
                            &t->month,   &t->year,    &t->century};
        for (unsigned i = 0; i < ARRAY_LEN(field); i++)
            *field[i] = from_bcd(*field[i]);
    }
    if (!(status_b & B_24_HOURS))
        t->hours = t->hours % 12 + (is_pm ? 12 : 0);
}

/* Days from 1970-01-01; years begin in March here, so that the leap day is a year's last. */
static uint64_t days_from_date(unsigned year, unsigned month, unsigned day)
{
    unsigned y = month > 2 ? year : year - 1;
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return 365ull * y + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

uint64_t wallclock_read_ns(void)
{
    struct rtc t;
    if (!rtc_read_stable(&t))
        return 0;
    rtc_decode(&t, cmos_read(RTC_STATUS_B));
    if (t.seconds > 59 || t.minutes > 59 || t.hours > 23 || t.day < 1 || t.day > 31 ||
        t.month < 1 || t.month > 12 || t.year > 99)
        return 0; /* no such clock: the ports read as ones */
    unsigned century = t.century >= 19 && t.century <= 29 ? t.century : t.year < 70 ? 20 : 19;
    uint64_t days = days_from_date(century * 100 + t.year, t.month, t.day);
    uint64_t seconds = ((days * 24 + t.hours) * 60 + t.minutes) * 60 + t.seconds;
    /* The clock gives whole seconds: the middle of this one is the best guess. */
    return seconds * 1000000000 + 500000000;
}
